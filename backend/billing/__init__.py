"""The arithmetic of billable time, pure: no Flask, no SQL, no clock, no environment."""
