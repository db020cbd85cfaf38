"""Measurements; not part of the package.

``python -m benchmarks`` makes all of them, or those that are named; ``python -m benchmarks.NAME`` makes one, with
parameters of its own. What they share:

=====================  ================================================================
``servers``            the server that is measured, its databases, what it counts
``processes``          a program with its seconds, its processor time and its memory
``contestants``        the tools, ours among them: how each is given files and called
``rounds``             turn by turn, medians, ratios within a round
``texts``              the SQL that is run
``measurement``        what a measurement is: parameters, a section of the report
``results``            sections, tables and claims, as JSON and as Markdown
``machine``            where it was measured
=====================  ================================================================
"""
