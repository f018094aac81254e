"""The unmodified LangChain integration (0.4.0) against a live server: retriever in its four modes, loader, writer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from foxnose_sdk.flux import AsyncFluxClient, FluxClient
from foxnose_sdk.management import ManagementClient
from langchain_core.documents import Document
from langchain_core.embeddings import Embeddings
from langchain_foxnose import (
    FoxNoseBatchWriteError,
    FoxNoseLoader,
    FoxNoseRetriever,
    FoxNoseWriter,
    create_foxnose_tool,
)
from tests.clients.foxnose.calling import Caller, flux_client, management_client
from tests.clients.foxnose.delivery import NEAR, Shelf
from tests.harness.server import Server

pytestmark = pytest.mark.filterwarnings("ignore")


class Fixed(Embeddings):
    """Whatever is asked is near the first document."""

    def embed_query(self, text: str) -> list[float]:
        return NEAR

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        return [NEAR for _ in texts]


@pytest.fixture(scope="module")
async def shelf(server: Server) -> Shelf:
    manage = management_client(ManagementClient, server.origin, server.operator["content"])
    try:
        return await Shelf.make(Caller(manage))
    finally:
        manage.close()


@pytest.fixture
def flux(server: Server, shelf: Shelf) -> Iterator[FluxClient]:
    client = flux_client(
        FluxClient, server.origin, server.operator["content"], shelf.prefix, shelf.auths()[0]
    )
    yield client
    client.close()


MODES: list[tuple[str, dict[str, Any], str]] = [
    ("text", {}, "sunligt"),
    ("text", {"sort": ["-rating"], "where": {"$": {"all_of": [{"rating__lte": 1}]}}}, "sunlight"),
    ("vector", {}, "panels and sunlight"),
    ("vector", {"embeddings": Fixed(), "vector_field": "place"}, "whatever"),
    ("vector", {"query_vector": NEAR, "vector_field": "place", "similarity_threshold": 0.5}, "whatever"),
    ("hybrid", {"hybrid_config": {"vector_weight": 0.5, "text_weight": 0.5}}, "sunlight"),
    ("vector_boosted", {"vector_boost_config": {"boost_factor": 2.0}}, "sunlight"),
    ("vector_boosted", {"embeddings": Fixed(), "vector_field": "place"}, "sunlight"),
]


@pytest.mark.parametrize(
    ("mode", "options", "question"), MODES, ids=[f"{one[0]}-{i}" for i, one in enumerate(MODES)]
)
def test_retrieving(
    flux: FluxClient, shelf: Shelf, mode: str, options: dict[str, Any], question: str
) -> None:
    retriever = FoxNoseRetriever(
        client=flux,
        collection_path=shelf.alias,
        page_content_field="body",
        search_mode=mode,
        search_fields=["title", "body"],
        top_k=2,
        **options,
    )
    [first, *more] = retriever.invoke(question)
    assert first.page_content == "Panels turn sunlight into power"
    assert first.metadata["title"] == "Solar" and first.metadata["key"] == shelf.resources[0]
    assert len(more) <= 1


async def test_retrieving_asynchronously_and_cut(server: Server, shelf: Shelf) -> None:
    content = server.operator["content"]
    client = flux_client(AsyncFluxClient, server.origin, content, shelf.prefix, shelf.auths()[1])
    retriever = FoxNoseRetriever(
        async_client=client,
        collection_path=shelf.alias,
        page_content_fields=["title", "body"],
        truncate_text=6,
        top_k=1,
    )
    [found] = await retriever.ainvoke("sunlight power")
    assert found.page_content == "Solar\n\nPanels"
    await client.aclose()


def test_as_a_tool_of_an_agent(flux: FluxClient, shelf: Shelf) -> None:
    tool = create_foxnose_tool(
        client=flux, collection_path=shelf.alias, page_content_field="body", search_mode="text"
    )
    assert "Castling" in tool.invoke({"query": "castling"})


def test_loading_page_by_page(flux: FluxClient, shelf: Shelf) -> None:
    loader = FoxNoseLoader(
        client=flux,
        collection_path=shelf.alias,
        page_content_field="title",
        params={"where__rating__in": "1,2,3", "sort": "rating"},
        batch_size=1,
    )
    loaded = loader.load()
    assert [one.page_content for one in loaded] == ["Solar", "Bread", "Chess"]
    assert [one.metadata["key"] for one in loaded] == shelf.resources
    assert [one.page_content for one in loader.lazy_load()] == ["Solar", "Bread", "Chess"]


def test_writing_documents(flux: FluxClient, shelf: Shelf) -> None:
    writer = FoxNoseWriter(
        client=flux, collection_path=shelf.alias, page_content_field="body", external_id_key="source"
    )
    documents = [
        Document(page_content=f"Text {index}", metadata={"title": f"Doc {index}", "source": f"doc-{index}"})
        for index in range(3)
    ]
    keys = writer.add_documents(documents)
    shown = [flux.get_resource(shelf.alias, key)["data"] for key in keys]
    assert shown == [{"title": f"Doc {index}", "body": f"Text {index}"} for index in range(3)]
    again = [Document(page_content="New", metadata={"title": "New"}), documents[0], documents[1]]
    with pytest.raises(FoxNoseBatchWriteError) as broken:
        writer.add_documents(again)
    assert broken.value.failed_index == 1 and broken.value.pending_indexes == [2]
    assert type(broken.value.cause).__name__ == "ExternalIdConflict"
    assert flux.get_resource(shelf.alias, broken.value.written_keys[0])["data"]["title"] == "New"


async def test_writing_asynchronously(server: Server, shelf: Shelf) -> None:
    content = server.operator["content"]
    client = flux_client(AsyncFluxClient, server.origin, content, shelf.prefix, shelf.auths()[1])
    writer = FoxNoseWriter(
        async_client=client,
        collection_path=shelf.alias,
        document_mapper=lambda document: {"title": document.page_content},
    )
    [key] = await writer.aadd_documents([Document(page_content="Mapped")])
    assert (await client.get_resource(shelf.alias, key))["data"] == {"title": "Mapped"}
    await client.aclose()
