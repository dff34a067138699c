-- Of what do the texts consist: paragraphs, headings, lists, quotes, tables?
SELECT outlet, kind, count(*) AS lines, round(avg(length(line))) AS mean_characters
FROM mart.article_line
GROUP BY outlet, kind
ORDER BY outlet, lines DESC;
