"""Who answers is said: nobody takes the simulator for a model."""

import pytest
from embedded_world import EmbeddedWorld
from playwright.sync_api import expect

TOLD = "No language model is configured"


@pytest.fixture(scope="module")
def without_model(tmp_path_factory):
    world = EmbeddedWorld(tmp_path_factory.mktemp("simulated"))
    try:
        world.install().start_serve()
        yield world
    finally:
        world.stop()


def test_the_answers_of_the_simulator_are_marked(person, without_model):
    screen = person(without_model.url)
    expect(screen.page.get_by_text(TOLD)).to_be_visible()
    screen.ask("Are you real?")
    expect(screen.answer()).to_contain_text("This is a simulation")
    expect(screen.answer().get_by_text("Simulated", exact=True)).to_be_visible()
    screen.conversation_id()
    screen.page.reload()
    expect(screen.answer().get_by_text("Simulated", exact=True)).to_be_visible()


def test_the_answers_of_a_model_are_not(screen):
    screen.ask("Are you real?")
    screen.words("You said: Are you real?")
    expect(screen.page.get_by_text(TOLD)).to_be_hidden()
    expect(screen.answer().get_by_text("Simulated", exact=True)).to_have_count(0)
