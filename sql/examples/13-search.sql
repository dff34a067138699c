-- Which English articles mention night trains but not the lighthouse, best match first?
SELECT outlet, headline, date_published::date AS day, round(rank::numeric, 3) AS rank, snippet
FROM mart.search('"night trains" -lighthouse', language => 'en', most => 10);
