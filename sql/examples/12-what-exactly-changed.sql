-- What exactly did the newsroom change, paragraph by paragraph?
SELECT revised.outlet, revised.url, diff.ordinal, diff.part, diff.removed, diff.added, diff.seen_changed_at
FROM mart.most_revised revised
CROSS JOIN LATERAL mart.revision_diff(revised.article_uid) diff
ORDER BY revised.outlet, revised.url, diff.ordinal, diff.part, diff.hunk;
