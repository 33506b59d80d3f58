"""Reading CSV and Parquet files into streams, in two passes: the first stores nothing and reads everything.

So a file is refused before a point of it is stored, the kinds of new streams are guessed from all of their
values, and memory holds one batch of rows whatever the size of the file.
"""

# batches      what a file gives: batches of rows, with the line each row is on
# origins      what our own Parquet files say of their columns
# sniff        separator, header and names of a CSV file
# csv_source   CSV files
# parquet_source  Parquet files
# salvage      the readable rest of a column that has unreadable cells
# times        the column of times
# cells        columns of values, and the kinds they can be
# rows         batches as times and values, with what is wrong in them
# plan         which column goes into which stream
# survey       the first pass
# store        the second pass
# report       what is told about both
# job          an import from beginning to end
