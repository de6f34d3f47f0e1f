-- Goals, and helpers for reading what the SDK sums up of a page.

-- What is wanted of a figure in each day, week, month, quarter or year. Targets are in the unit that the
-- API tells the figure in: money in minor units, shares from 0 to 1.
CREATE TABLE heliograph.goal (
    site text NOT NULL,
    metric text NOT NULL,
    period text NOT NULL CHECK (period IN ('day', 'week', 'month', 'quarter', 'year')),
    target numeric NOT NULL CHECK (target > 0),
    updated_at timestamptz NOT NULL DEFAULT now(),
    updated_by text NOT NULL,
    PRIMARY KEY (site, metric, period)
);

-- Members of properties come from browsers: what is no number counts as 0, what is no list as empty.
CREATE FUNCTION heliograph.number_of(value jsonb) RETURNS numeric LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN jsonb_typeof(value) = 'number' THEN value::numeric ELSE 0 END;

CREATE FUNCTION heliograph.list_of(value jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN jsonb_typeof(value) = 'array' THEN value ELSE '[]'::jsonb END;
