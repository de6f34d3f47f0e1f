"""What a trace of Chromium's main thread says of one script, in processor time.

Processor time of the thread, not the clock's: how busy the machine is otherwise does not count.
"""
import collections
import json

CATEGORIES = ["devtools.timeline", "disabled-by-default-devtools.timeline"]
LONG_TASK_MICROSECONDS = 50_000
# What calls a script, as the trace names it; an event's dispatch is called by its type.
CALLERS = {"TimerFire": "timer", "FireAnimationFrame": "animation frame",
           "FireIdleCallback": "idle", "EvaluateScript": "loading", "RunMicrotasks": "promise"}


class Account:
    """Sums over any number of traces of one page."""

    def __init__(self, script):
        self.script = script
        self.calls = collections.defaultdict(list)
        # Processor time of each long task, and how much of it was the script's.
        self.long_tasks = []

    def take(self, trace):
        """Adds what Chromium's tracing returned."""
        threads = collections.defaultdict(list)
        for event in json.loads(trace)["traceEvents"]:
            if event.get("ph") == "X" and "tdur" in event:
                threads[event["pid"], event["tid"]].append(event)
        for events in threads.values():
            if any(event["name"] == "EventDispatch" for event in events):
                self.thread(sorted(events, key=lambda event: (event["ts"], -event["dur"])))

    def thread(self, events):
        """Walks a thread's nested events; the script's outermost calls count."""
        stack = []
        for event in events:
            while stack and stack[-1]["ts"] + stack[-1]["dur"] <= event["ts"]:
                self.closed(stack.pop())
            event["of_script"] = 0
            if self.is_script(event) and not any(self.is_script(outer) for outer in stack):
                self.calls[caller(stack, event)].append(event["tdur"])
                for outer in [*stack, event]:
                    outer["of_script"] += event["tdur"]
            stack.append(event)
        for event in stack:
            self.closed(event)

    def closed(self, event):
        if event["name"] == "RunTask" and event["tdur"] >= LONG_TASK_MICROSECONDS:
            self.long_tasks.append((event["tdur"], event["of_script"]))

    def is_script(self, event):
        data = event.get("args", {}).get("data", {})
        return (event["name"] in ("FunctionCall", "EvaluateScript")
                and str(data.get("url", "")).split("?")[0].endswith(self.script))

    def table(self):
        """Per caller: the number of calls and their processor time in milliseconds."""
        return {name: {"calls": len(times), "p50": at(times, 0.5), "p99": at(times, 0.99),
                       "max": at(times, 1)} for name, times in sorted(self.calls.items())}

    def made_long(self):
        """Long tasks that would not be long without the script."""
        return [(whole / 1000, part / 1000) for whole, part in self.long_tasks
                if whole - part < LONG_TASK_MICROSECONDS]


def caller(stack, event):
    for outer in [event, *reversed(stack)]:
        if outer["name"] == "EventDispatch":
            return outer["args"]["data"]["type"]
        if outer["name"] in CALLERS:
            return CALLERS[outer["name"]]
    return "observer"


def at(microseconds, share):
    ordered = sorted(microseconds)
    return round(ordered[min(len(ordered) - 1, int(len(ordered) * share))] / 1000, 3)
