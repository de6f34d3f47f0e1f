"""The scripts' own arithmetic: a table that hides a bad figure is no table.

    cd bench/measuring && /usr/bin/python3 -m unittest selftest
"""

import importlib.machinery
import importlib.util
import unittest
import xml.etree.ElementTree as xml
from pathlib import Path

import figures
import model
import plot
import script as common
import tables

HERE = Path(__file__).resolve().parent


def script(name: str):
    """A script of bench as a module; its name has no ending."""
    loader = importlib.machinery.SourceFileLoader(name.replace("-", "_"), str(HERE.parent / name))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(loader.name, loader))
    loader.exec_module(module)
    return module


def turn(rate: float, **more) -> dict:
    cpu = {"user_microseconds_per_batch": 3.0, "system_microseconds_per_batch": 5.0, "cores": 0.4}
    run = {"batches_per_second": rate, "events_per_second": rate * 10,
           "sustained_events_per_second": rate * 5, "copy_rows_per_second": rate * 10,
           "ack_ms": {"p50_ms": 1.0, "p99_ms": 4.0}, "cpu": {"engine": cpu},
           "cpu_microseconds_per_batch": {"engine": 8.0}, "listener_user_microseconds": 2.5,
           "resident_mebibytes": 10.0, **more}
    return {"flat": run, "low": run}


MACHINE = {"date": "d", "commit": "c", "cores": 2, "processor": "p", "memory_gib": 1, "kernel": "k",
           "system": "s", "versions": {"swift": "6"}, "load_average_at_start": 0}


def compared() -> dict:
    """Ratios of the rounds 10, 20 and 40, while the ratio of the medians would be 12."""
    rounds = [{"heliograph": turn(ours), "fastapi": turn(theirs)}
              for ours, theirs in ((1000, 100), (2000, 100), (1200, 30))]
    return {"kind": "compare", "load": "plain", "rate": 500, "machine": MACHINE, "rounds": rounds,
            "command": "bench/compare", "titles": {"heliograph": "Heliograph", "fastapi": "<F&A>"}}


class Figures(unittest.TestCase):
    def test_median_and_range_leave_out_what_is_missing(self):
        self.assertEqual(figures.middle([3.0, None, 1.0, 2.0]),
                         {"median": 2.0, "low": 1.0, "high": 3.0, "rounds": 3})
        self.assertEqual(figures.spread(figures.middle([None])), "–")

    def test_ratios_are_of_the_same_round(self):
        self.assertEqual(tables.ratios(compared(), "fastapi"),
                         {"median": 20.0, "low": 10.0, "high": 40.0, "rounds": 3})

    def test_a_missing_subject_leaves_its_cells_empty(self):
        result = compared()
        del result["rounds"][1]["fastapi"]
        self.assertEqual(tables.ratios(result, "fastapi")["rounds"], 2)
        self.assertIn("<F&A>", tables.compare(result))

    def test_the_design_s_lines_say_what_was_not_measured(self):
        self.assertIn("not measured yet", tables.section_8({}))
        said = tables.section_8({"compare-plain": compared()})
        self.assertIn("| accepted batches/s ÷ <F&A> | 20.0 (10.0–40.0) | ≥ 20 |", said)
        self.assertIn("| 0.50 (0.50–0.50) | ≥ 0.4 |", said)


class Plots(unittest.TestCase):
    def test_a_plot_is_well_formed_and_says_in_words_what_it_shows(self):
        picture = xml.fromstring(plot.compare(compared()))
        said = picture.find("{http://www.w3.org/2000/svg}desc").text
        self.assertIn("Heliograph 1 200", said)
        self.assertIn("<F&A> 100", said)

    def test_longer_bars_are_higher_rates(self):
        picture = xml.fromstring(plot.compare(compared()))
        widths = [float(bar.get("width")) for bar in picture.findall(
            "{http://www.w3.org/2000/svg}rect")][1:]
        self.assertEqual(widths, sorted(widths, reverse=True))
        self.assertGreater(widths[0], widths[1])


    def test_the_load_grows_from_left_to_right_and_gaps_stay_gaps(self):
        phases = [{"name": "flat out", "freshness": {"latency": {"p99_ms": 9.0}}},
                  {"name": "at 10 % of it", "freshness": {"latency": {"p99_ms": 2.0}}},
                  {"name": "3 x overload"}]
        picture = plot.saturation({"load": "real", "rounds": [{"phases": phases}]})
        said = xml.fromstring(picture).find("{http://www.w3.org/2000/svg}desc").text
        self.assertEqual(said, "at 10 % of it: p99 2.00 ms; flat out: p99 9.00 ms; "
                               "3 x overload: p99 – ms")


class Model(unittest.TestCase):
    COSTS = {"hg-listener": 10.0, "hg-journal": 2.0, "hg-worker": 4.0, "redis": 4.0}

    def test_a_single_thread_binds_when_cores_are_many(self):
        self.assertEqual(model.bound(self.COSTS, 1, 1), (1e6 / 20, "all cores busy"))
        self.assertEqual(model.bound(self.COSTS, 128, 1), (250_000.0, "Redis' one thread"))
        self.assertEqual(model.bound(self.COSTS, 128, 1, elsewhere=True),
                         (500_000.0, "the journal's thread"))

    def test_large_batches_meet_the_disk_first(self):
        self.assertEqual(model.bound(self.COSTS, 128, 1e6)[1], "the journal's disk")

    def test_threads_of_one_kind_are_added_up_and_the_generator_left_out(self):
        use = {"user_microseconds_per_batch": 1.0, "system_microseconds_per_batch": 2.0}
        cpu = {"bench": use, "redis": {**use, "threads": {"redis-server": use, "bio": use}},
               "engine": {**use, "threads": {"hg-listener-0": use, "hg-listener-1": use}}}
        self.assertEqual(model.stage_costs(cpu), {"redis": 3.0, "hg-listener": 6.0})


class Pages(unittest.TestCase):
    def test_a_page_is_filled_once_and_stays_as_it_is(self):
        fill = script("fill-results").fill
        page = "a\n<!-- table: compare-plain -->\nold\n<!-- end -->\nb"
        once = fill(page, {"compare-plain": compared()})
        self.assertNotIn("old", once)
        self.assertTrue(once.startswith("a\n") and once.endswith("\nb"))
        self.assertEqual(fill(once, {"compare-plain": compared()}), once)

    def test_figures_that_no_table_shows_are_an_error(self):
        with self.assertRaises(ValueError):
            script("fill-results").fill("nothing", {"compare-plain": compared()})

    def test_a_command_names_no_place_of_the_machine(self):
        words = ["--load", "plain", "--engine", "/a/b", "--into=/c", "--rounds", "2"]
        self.assertEqual(common.without_places(words), ["--load", "plain", "--rounds", "2"])

    def test_a_stage_above_its_threshold_or_without_one_is_named(self):
        above = script("micro").above
        found = {"stages": {"ring": {"ratio": {"low": 2.0}}, "fold": {"ratio": {"low": 1.0}}}}
        self.assertEqual(above(found, {"ring": 2.0, "fold": 1.0}), [])
        self.assertEqual(len(above(found, {"ring": 1.9})), 2)


if __name__ == "__main__":
    unittest.main()
