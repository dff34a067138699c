-- What all machines of an installation share: a check value of the key of erasures.

CREATE TABLE ops.erasure_key (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    check_value bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE ops.erasure_key IS 'Check value of the key of erasures, so that a machine with another key, or none, is noticed. The key itself is not in the database.';
COMMENT ON COLUMN ops.erasure_key.only_row IS 'Ensures that the table has a single row.';
COMMENT ON COLUMN ops.erasure_key.check_value IS 'HMAC of a fixed text with the key.';
COMMENT ON COLUMN ops.erasure_key.created_at IS 'Time of the first erasure with this key.';
