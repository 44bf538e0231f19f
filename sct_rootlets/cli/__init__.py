"""The command line: parse, call the library, print, exit.

One module per subcommand, each with ``add_parser`` and ``execute``. Nothing heavy is
imported when the parsers are built: a module imports the library inside ``execute``.
"""
