"""The broker's link to the datafeed, whose quotes it trades on."""
