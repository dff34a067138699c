-- What do the outlets state of the use of their articles, and what was left out for it?
SELECT outlet, robots_status, tdmrep_status, noarchive, noai, tdm_reserved, robots_denied, rights_reserved, noindex
FROM mart.outlet_rights
ORDER BY robots_denied + rights_reserved + noindex DESC, outlet;
