"""Some verbs of the books, past and base form."""

_IRREGULAR = """
began begin bent bend bit bite blew blow bought buy broke break brought bring built build came come
caught catch chose choose drank drink drew draw drove drive ate eat fell fall felt feel fled flee flew
fly found find gave give got get grew grow heard hear held hold hid hide kept keep knew know laid lay
led lead left leave lent lend lost lose made make met meet paid pay ran run rang ring rode ride rose
rise sang sing sat sit saw see sent send shook shake shot shoot slept sleep sold sell spent spend spoke
speak stole steal stood stand struck strike swam swim swept sweep threw throw told tell took take tore
tear understood understand went go woke wake won win wore wear wrote write
"""
_REGULAR = """
accept admire answer ask attend beg believe borrow call carry clap climb close cover cross cry declare
demand deserve discover dismiss drag drop dry enjoy enter examine expect fear fetch fill finish fold
follow gain gather greet guess hate help hop hurry invite join jump kick kiss knock lift like listen
live lock look love marry mention miss move need notice obey observe offer open order pass pick place
play please point pour praise prefer present press promise pull push question raise reach receive
recognise refuse remember remove repeat return rub rush save search seize serve share shout show slip
smile snatch start stay step stop stretch study suggest suspect talk taste thank touch try turn visit
wait walk want warn wash watch whisper whistle wipe wish wonder work
"""
_DOUBLED = "beg clap drag drop hop rub slip step stop"
_MOTION = """
come climb fall flee fly go hop hurry jump live return ride run rush sit sleep slip stand stay swim wait
walk
"""
_NO_OBJECT = "laugh listen look rise smile speak start step stop talk turn wonder work"


def _past(base: str) -> str:
    if base.endswith("e"):
        return f"{base}d"
    if base.endswith("y") and base[-2] not in "aeiou":
        return f"{base[:-1]}ied"
    return f"{base}{base[-1]}ed" if base in _DOUBLED.split() else f"{base}ed"


_FORMS = _IRREGULAR.split()
BASE = dict(zip(_FORMS[::2], _FORMS[1::2], strict=True)) | {_past(base): base for base in _REGULAR.split()}
"""The base form by the past."""
MOTION = frozenset(_MOTION.split())
"""Base forms that a place may follow."""
NO_OBJECT = MOTION | frozenset(_NO_OBJECT.split())
"""Base forms after which a thing is hardly what the verb is done to."""
