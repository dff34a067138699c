CREATE SCHEMA mart;
COMMENT ON SCHEMA mart IS 'Documented views and functions for analysts.';
