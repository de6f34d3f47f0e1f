-- Looking an event up by its id is rare, storing one is not. Trees over ids made COPY a quarter slower;
-- block summaries (BRIN with Bloom filters) cost it nothing that can be measured, and a look-up reads
-- the summaries of a day and the few blocks that may hold the id.

DROP INDEX heliograph.event_window;
DROP INDEX heliograph.event_message;
CREATE INDEX event_window ON heliograph.event
    USING brin (window_id text_bloom_ops(n_distinct_per_range = 1000)) WITH (pages_per_range = 64);
CREATE INDEX event_message ON heliograph.event
    USING brin (message_id text_bloom_ops(n_distinct_per_range = 2000)) WITH (pages_per_range = 64);
