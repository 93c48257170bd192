"""The one owner of live state: pure steps, and the supervisor that runs their effects."""
