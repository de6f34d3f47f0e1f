-- How many of a day's delivered conversions had what a platform knows people by: a statistic, counted
-- once by the forwarder that delivered them. Key `all` counts them whatever they had.
CREATE TABLE heliograph.match_key (
    site text NOT NULL,
    destination text NOT NULL,
    day date NOT NULL,
    key text NOT NULL,
    conversions bigint NOT NULL,
    PRIMARY KEY (site, destination, day, key)
);
