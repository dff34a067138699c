-- Where does each row come from: how was it found, when was it fetched, where is it archived, what extracted it?
SELECT outlet, url, discovered_via, observed_at, http_status, archive_file, archive_offset, archive_length, extractor
FROM mart.article
ORDER BY outlet, observed_at
LIMIT 100;
