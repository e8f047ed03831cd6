"""The yardstick: a voice agent written the way Pipecat's examples are, in a process that is up and running.

Services are built per call, inside the WebSocket's handler, and the greeting is spoken by the voice on connect. The
engines and models are Warmline's own: Silero, smart-turn, pocketsphinx, espeak-ng, and the language model at
OPENAI_BASE_URL. Where an example would leave a choice, the faster one was taken: all modules are imported beforehand,
the recogniser is fed while the caller speaks, espeak-ng runs in this process, and the prompt already holds the one fact
that the benchmark asks for.

    OPENAI_BASE_URL=... OPENAI_API_KEY=... python bench/plain_pipecat.py --port 7861
"""

import argparse
import os
import sys
from typing import Any

import uvicorn
from fastapi import FastAPI, WebSocket
from loguru import logger
from pipecat.audio.turn.smart_turn import local_smart_turn_v3  # noqa: F401 - imported at the first call otherwise
from pipecat.audio.vad.silero import SileroVADAnalyzer
from pipecat.frames.frames import TTSSpeakFrame
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.worker import PipelineParams, PipelineWorker
from pipecat.processors.aggregators.llm_context import LLMContext
from pipecat.processors.aggregators.llm_response_universal import LLMContextAggregatorPair, LLMUserAggregatorParams
from pipecat.services.openai.llm import OpenAILLMService
from pipecat.transports.websocket.fastapi import FastAPIWebsocketParams, FastAPIWebsocketTransport
from pipecat.workers.runner import WorkerRunner
from pocketsphinx import Decoder

from plain_services import EspeakTTS, PocketsphinxSTT
from plain_wire import AnnouncingSocket, PcmSerializer, ReplyTap, SpeechEndTap, TranscriptTap
from warmline.agent.prompt import core_prompt, with_facts
from warmline.engines import ChatMessage
from warmline.engines.espeak.config import EspeakConfig
from warmline.engines.espeak.library import Espeak
from warmline.engines.pocketsphinx import PocketsphinxConfig
from warmline.engines.pocketsphinx.model_files import model_files
from warmline.settings import load_scenario

SCENARIO = load_scenario()
_HEARD = PocketsphinxConfig(
    phrases=tuple(phrase for phrases in SCENARIO.phrases.values() for phrase in phrases), slots=SCENARIO.slots
)
MODEL = model_files(_HEARD.all_phrases(), _HEARD.all_slots(), _HEARD.cache_dir)
QUESTION = ChatMessage("user", "what are your opening hours")
PROMPT = "\n".join(message.content for message in (core_prompt(SCENARIO), *with_facts([QUESTION], SCENARIO.facts)[:-1]))

app = FastAPI()


@app.websocket("/ws")
async def call(websocket: WebSocket) -> None:
    """One call, as an example's `run_bot` has it."""
    await websocket.accept()
    line = AnnouncingSocket(websocket)
    params = FastAPIWebsocketParams(
        audio_in_enabled=True,
        audio_out_enabled=True,
        audio_out_10ms_chunks=2,
        serializer=PcmSerializer(),
    )
    transport = FastAPIWebsocketTransport(websocket=line, params=params)  # type: ignore[arg-type] # it is used as one
    stt = PocketsphinxSTT(load_decoder())
    tts = EspeakTTS(Espeak(EspeakConfig().voice, EspeakConfig().rate_wpm))
    llm = OpenAILLMService(
        api_key=os.environ["OPENAI_API_KEY"],
        base_url=os.environ["OPENAI_BASE_URL"],
        settings=OpenAILLMService.Settings(model="receptionist", system_instruction=PROMPT),
    )
    aggregators = LLMContextAggregatorPair(
        LLMContext(), user_params=LLMUserAggregatorParams(vad_analyzer=SileroVADAnalyzer())
    )
    pipeline = Pipeline(
        [
            transport.input(),
            stt,
            TranscriptTap(line),
            aggregators.user(),
            llm,
            ReplyTap(line),
            tts,
            transport.output(),
            SpeechEndTap(line),
            aggregators.assistant(),
        ]
    )
    worker = PipelineWorker(
        pipeline,
        params=PipelineParams(audio_in_sample_rate=16_000, audio_out_sample_rate=16_000),
        enable_rtvi=False,
    )

    @transport.event_handler("on_client_connected")
    async def greet(*_: object) -> None:
        await worker.queue_frame(TTSSpeakFrame(SCENARIO.greeting))

    @transport.event_handler("on_client_disconnected")
    async def hang_up(*_: object) -> None:
        await worker.cancel()

    runner = WorkerRunner(handle_sigint=False)
    await runner.add_workers(worker)
    await runner.run()


def load_decoder() -> Any:
    """The recogniser of one call."""
    files = {"lm": str(MODEL.language_model), "dict": str(MODEL.dictionary)}
    return Decoder(loglevel="FATAL", samprate=16_000, fwdflat=False, **files)


def main() -> None:
    """Serve until told to stop."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--port", type=int, default=7861)
    logger.remove()
    logger.add(sys.stderr, level="WARNING")
    port = parser.parse_args().port
    uvicorn.run(
        app, port=port, ws="websockets-sansio", ws_per_message_deflate=False, log_level="warning", access_log=False
    )


if __name__ == "__main__":
    main()
