CREATE SCHEMA mart;
COMMENT ON SCHEMA mart IS 'What analysts query: documented views over the warehouse.';
