-- What exactly did the newsroom change, paragraph by paragraph?
SELECT m.outlet, m.url, d.ordinal, d.part, d.removed, d.added, d.seen_changed_at
FROM mart.most_revised m
CROSS JOIN LATERAL mart.revision_diff(m.article_uid) d
ORDER BY m.outlet, m.url, d.ordinal, d.part, d.hunk;
