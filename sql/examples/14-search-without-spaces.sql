-- Which articles mention the fish market, in a language written without spaces?
SELECT outlet, headline, in_language, snippet
FROM mart.search('魚市場', most => 50)
ORDER BY date_published DESC;
