"""The console command `backend-manager`. One module per verb.

Each imports only what it needs, so that every verb is quick.
"""
