-- Where does every row come from: how found, when fetched, which bytes in which file, read by which program?
SELECT outlet, url, discovered_via, observed_at, http_status, archive_file, archive_offset, archive_length, extractor
FROM mart.article
ORDER BY outlet, observed_at
LIMIT 100;
