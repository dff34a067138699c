-- Which articles in English speak of night trains and not of the lighthouse, best first?
SELECT outlet, headline, date_published::date AS day, round(rank::numeric, 3) AS rank, snippet
FROM mart.search('"night trains" -lighthouse', language => 'en', most => 10);
