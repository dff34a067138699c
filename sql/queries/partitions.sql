-- Monthly partitions of core.search_document and core.lsh_band.

-- name: ensure
-- Create the partitions of a table from this month to the next three, and return how many were missing.
SELECT core.ensure_month_partitions(%(parent)s, ARRAY(
    SELECT day::date FROM generate_series(date_trunc('month', now(), 'UTC'),
                                          date_trunc('month', now(), 'UTC') + interval '3 months',
                                          interval '1 month') AS day));

-- name: months_to_split
-- Return about how many months `split` still has to move.
SELECT core.months_to_split(%(parent)s);

-- name: wait_for_readers
-- Do not let readers queue behind this transaction for long.
SELECT set_config('lock_timeout', %(patience)s, true);

-- name: split
-- Move the newest month to a monthly partition. Returns null if nothing is left.
SELECT core.split_partition(%(parent)s);
