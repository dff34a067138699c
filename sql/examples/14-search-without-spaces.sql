-- Which articles speak of the fish market, in a language without spaces between words?
SELECT outlet, headline, in_language, snippet
FROM mart.search('魚市場', most => 50)
ORDER BY date_published DESC;
