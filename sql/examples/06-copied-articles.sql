-- Which texts appeared in more than one outlet, and which outlet was first?
SELECT headline, first_outlet, outlet_list, articles, last_published - first_published AS spread_over
FROM mart.copy_cluster
WHERE outlets > 1
ORDER BY outlets DESC, articles DESC;
