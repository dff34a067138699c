-- Which texts stand in more than one outlet, and who had them first?
SELECT headline, first_outlet, outlet_list, articles, last_published - first_published AS spread_over
FROM mart.copy_cluster
WHERE outlets > 1
ORDER BY outlets DESC, articles DESC;
