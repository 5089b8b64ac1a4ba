"""asyncio: clock, scheduler, executor, pipeline."""
