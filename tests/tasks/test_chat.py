"""Chat: which conversations are refused, and which tokens of the others are learned."""

import math

import pytest
from pydantic import ValidationError

from raylm.config.errors import BadInput
from raylm.data.records import NoTextError
from raylm.data.text_encoder import TextEncoder
from raylm.data.tokenizers.byte_bpe import ByteBpe
from raylm.data.tokenizers.unigram import Unigram
from raylm.tasks import Task
from raylm.tasks.chat import Chat

TEXTS = ["hello there, how are you", "I am fine, thank you"] * 5
EOS = "<|endoftext|>"
CHATML = (
    "{{ bos_token }}{% for message in messages %}<|im_start|>{{ message['role'] }}\n"
    "{{ message['content'] | trim }}{{ eos_token }}\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
TWO_TURNS = [
    {"role": "system", "content": "be kind"},
    {"role": "user", "content": "hello"},
    {"role": "assistant", "content": "hi there"},
    {"role": "user", "content": "how are you"},
    {"role": "assistant", "content": "fine"},
]


@pytest.fixture(scope="module")
def encoder():
    return TextEncoder(ByteBpe(vocab_size=300).train(iter(TEXTS)), "supervised")


def messages(*roles):
    return [{"role": role, "content": f"{role} says"} for role in roles]


def record(value, **fields):
    return Chat(**fields).record({"messages": value})


def refusal(value):
    with pytest.raises(NoTextError) as error:
        record(value)
    return error.value


def learned_text(row, encoder):
    """The learned runs of tokens, each as a text."""
    runs, was_learned = [], 0
    for number, is_learned in zip(row.tokens, row.target, strict=True):
        if is_learned and not was_learned:
            runs.append([])
        if is_learned:
            runs[-1].append(number)
        was_learned = is_learned
    return [encoder.tokenizer.decode(run) for run in runs]


def test_it_is_a_kind_of_task():
    task = Task.model_validate({"kind": "chat"})
    assert task.field_names() == ("messages",)
    assert task.answer_kind == "likelihood"


def test_learned_tokens_are_the_assistants_and_the_ends_of_its_turns(encoder):
    (row,) = Chat().encode(record(TWO_TURNS), encoder)
    # By hand: the ids of "hi there" and of "fine", and one end of turn for each.
    num_learned = len(encoder.plain("hi there").ids) + 1 + len(encoder.plain("fine").ids) + 1
    assert sum(row.target) == num_learned
    assert learned_text(row, encoder) == [f"hi there{EOS}", f"fine{EOS}"]
    assert len(row.tokens) == len(row.target)


def test_the_plain_form_is_a_line_with_the_role_and_then_the_content(encoder):
    (row,) = Chat().encode(record(TWO_TURNS), encoder)
    assert encoder.tokenizer.decode(row.tokens) == (
        "<|system|>\nbe kind\n<|user|>\nhello\n<|assistant|>\nhi there<|endoftext|>\n"
        "<|user|>\nhow are you\n<|assistant|>\nfine<|endoftext|>"
    )


def test_the_name_of_a_special_token_in_a_message_is_only_text(encoder):
    said = f"write {EOS} at the end"
    (row,) = Chat().encode(
        record([{"role": "user", "content": said}, {"role": "assistant", "content": said}]), encoder
    )
    assert list(row.tokens).count(encoder.eos_token_id) == 1
    assert row.tokens[-1] == encoder.eos_token_id
    assert learned_text(row, encoder) == [f"{said}{EOS}"]


def test_what_is_generated_from_is_how_the_learned_text_begins(encoder):
    for template in (None, CHATML):
        task = Chat(chat_template=template)
        (row,) = task.encode(record(TWO_TURNS), encoder)
        start = len(row.target) - 1 - list(reversed(row.target)).index(0) + 1
        prompt = task.prompt_ids(TWO_TURNS[:-1], encoder)
        assert prompt == list(row.tokens[:start])


def test_a_template_writes_special_tokens_as_ids(encoder):
    (row,) = Chat(chat_template=CHATML).encode(record(TWO_TURNS), encoder)
    assert row.tokens[0] == encoder.eos_token_id  # GPT-2's token begins texts too
    assert list(row.tokens).count(encoder.eos_token_id) == 1 + len(TWO_TURNS)
    assert learned_text(row, encoder) == [f"hi there{EOS}", f"fine{EOS}"]


def test_the_text_is_that_of_transformers_for_the_same_template(encoder, tmp_path):
    from transformers import AutoTokenizer

    encoder.tokenizer.save(tmp_path)
    tokenizer = AutoTokenizer.from_pretrained(tmp_path)
    theirs = tokenizer.apply_chat_template(TWO_TURNS, chat_template=CHATML, tokenize=False)
    (row,) = Chat(chat_template=CHATML).encode(record(TWO_TURNS), encoder)
    assert encoder.tokenizer.decode(row.tokens) + "\n" == theirs


def test_a_template_that_trims_contents_is_followed(encoder):
    said = [{"role": "user", "content": " hello "}, {"role": "assistant", "content": "hi\n"}]
    (row,) = Chat(chat_template=CHATML).encode(record(said), encoder)
    assert learned_text(row, encoder) == [f"hi{EOS}"]
    (plain,) = Chat().encode(record(said), encoder)
    assert learned_text(plain, encoder) == [f"hi\n{EOS}"]


def test_a_head_that_only_the_whole_text_has_is_learned_with_the_turn(encoder):
    template = CHATML.replace(
        "{{ message['content']", "{{ '[' if message.role == 'assistant' }}{{ message.content"
    )
    (row,) = Chat(chat_template=template).encode(record(TWO_TURNS), encoder)
    assert learned_text(row, encoder) == [f"[hi there{EOS}", f"[fine{EOS}"]


def test_marks_of_the_assistants_text_have_no_effect(encoder):
    marked = CHATML.replace(
        "{{ message['content'] | trim }}", "{% generation %}{{ message.content }}{% endgeneration %}"
    )
    assert Chat(chat_template=marked).encode(record(TWO_TURNS), encoder) == Chat(chat_template=CHATML).encode(
        record(TWO_TURNS), encoder
    )


@pytest.mark.parametrize(
    ("template", "message"),
    [
        (CHATML.replace("<|im_start|>assistant", "Bot:"), "where the assistant's turn begins"),
        (CHATML.replace("{{ eos_token }}\n", "\n"), "no special token"),
        (CHATML.replace("trim", "upper"), "changes the text"),
        ("{{ raise_exception('only one turn') }}", "only one turn"),
        ("{{ messages[99].content.x }}", "cannot be filled in"),
        ("{% for message in messages %}{{ message.role }}{% endfor %}", "where the assistant's turn begins"),
    ],
)
def test_a_template_that_does_not_do_is_refused_with_a_mend(template, message, encoder):
    with pytest.raises(BadInput, match=message) as error:
        Chat(chat_template=template).encode(record(TWO_TURNS), encoder)
    (problem,) = error.value.problems
    assert problem.field == "task.chat_template"
    assert problem.mend


def test_a_template_cannot_reach_out_of_its_sandbox(encoder):
    template = "{{ messages.__class__.__base__.__subclasses__() }}"
    with pytest.raises(BadInput, match="unsafe"):
        Chat(chat_template=template).encode(record(TWO_TURNS), encoder)


def test_a_template_that_is_no_jinja_is_refused_at_once():
    with pytest.raises(ValidationError, match="line 2 is no Jinja"):
        Chat(chat_template="a\n{% for %}")


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (messages("user", "user", "assistant"), "message 2 is the user's again"),
        (messages("user", "assistant", "assistant"), "message 3 is the assistant's again"),
        (messages("user", "assistant", "system"), "message 3 is the system's"),
        (messages("system", "system", "assistant"), "message 2 is the system's"),
        (messages("user"), "no message is the assistant's"),
        ([], "no message is the assistant's"),
        (messages("user", "tool"), "message 2: unknown role 'tool'"),
        ([{"content": "x"}], "message 1: unknown role 'None'"),
        ([{"role": "user", "content": " "}], "message 1 is empty"),
        ([{"role": "user", "content": None}], "message 1 is null"),
        ([{"role": "user", "content": ["x"]}], "message 1: want text, got list"),
        (["hello"], "message 1: want an object, got text"),
        ("hello", "want a list of messages, got text"),
        (None, "want a list of messages, got null"),
    ],
)
def test_a_conversation_that_is_none_is_refused_by_its_message(value, message):
    error = refusal(value)
    assert message in error.message
    assert error.message.startswith("messages")


def test_conversations_in_the_form_of_sharegpt_are_read():
    task = Chat(messages_field="data.conversations")
    said = [{"from": "human", "value": "hello"}, {"from": "gpt", "value": "hi"}]
    assert task.record({"data": {"conversations": said}}) == {
        "messages": [{"role": "user", "content": "hello"}, {"role": "assistant", "content": "hi"}]
    }


def test_what_follows_the_last_turn_of_the_assistant_is_left_off():
    assert len(record(messages("user", "assistant", "user"))["messages"]) == 2


def test_a_tokenizer_with_other_special_tokens_ends_turns_with_its_own():
    encoder = TextEncoder(Unigram(vocab_size=400, special_tokens="t5").train(iter(TEXTS)), "supervised")
    (row,) = Chat().encode(record(TWO_TURNS), encoder)
    assert learned_text(row, encoder) == ["hi there</s>", "fine</s>"]


def test_answers_are_judged_by_the_bytes_of_the_assistant_alone():
    task, records = Chat(), [record(TWO_TURNS)]
    judged = task.judge(records, [{"log_probability": -12 * math.log(2), "num_tokens": 6}])
    metrics = judged.metrics(judged.stats.sum(axis=0))
    assert metrics["bits_per_byte"] == pytest.approx(12 / len("hi therefine"))
    assert metrics["loss"] == pytest.approx(2 * math.log(2))


def test_the_baseline_is_learned_from_the_assistants_texts():
    task, said = Chat(), record(TWO_TURNS)
    (answers,) = task.baselines([said], [said]).values()
    assert answers[0]["num_tokens"] == len("hi there") + 1 + len("fine") + 1
    (other,) = task.baselines([record(messages("user", "assistant"))], [said]).values()
    assert answers[0]["log_probability"] > other[0]["log_probability"]
