"""BentoML's own task queue: a service with one task, which ends at once."""

import bentoml


@bentoml.service(traffic={"timeout": 600})
class Clips:
    @bentoml.task
    def generate(self, prompt: str, video_url: str) -> dict:
        return {"video": video_url, "prompt": prompt}
