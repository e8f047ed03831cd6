"""A FastAPI voice backend that is warm before its first call. Run: `uvicorn examples.voice_backend.app:app`."""
