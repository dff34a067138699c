-- What did an outlet publish on a given day, with full texts and the source of each date?
SELECT headline, authors, date_published, date_published_source, word_count, article_body
FROM mart.article
WHERE outlet = 'tagesblick' AND date_published_day = '2026-03-05'
ORDER BY date_published;
