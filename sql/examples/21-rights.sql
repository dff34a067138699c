-- Which rights does each outlet declare, and how many pages were skipped because of them?
SELECT outlet, robots_status, tdmrep_status, noarchive, noai, tdm_reserved, robots_denied, rights_reserved, noindex
FROM mart.outlet_rights
ORDER BY robots_denied + rights_reserved + noindex DESC, outlet;
