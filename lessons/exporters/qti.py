"""Questions as an IMS QTI 1.2 package, which Canvas, Blackboard, Brightspace and Moodle import."""

from __future__ import annotations

import html
import io
import zipfile
from pathlib import Path
from xml.etree import ElementTree as Xml

from lessons.exchange import Losses, Outcome
from lessons.exporters.questions import Question, questions_of
from lessons.files import replace_file
from lessons.schema import LessonSet

QTI = "http://www.imsglobal.org/xsd/ims_qtiasiv1p2"
PACKAGE = "http://www.imsglobal.org/xsd/imsccv1p1/imscp_v1p1"
_DATE = (1980, 1, 1, 0, 0, 0)

TYPES = {
    "choice": "multiple_choice_question",
    "short": "short_answer_question",
    "order": "short_answer_question",
    "match": "matching_question",
    "essay": "essay_question",
}


def export_qti(lesson_set: LessonSet, path: Path) -> Outcome:
    """Write the set's questions to `path` (.zip), one assessment a lesson."""
    losses = Losses()
    questions = questions_of(lesson_set, losses)
    manifest = Xml.Element("manifest", {"identifier": f"{lesson_set.info.id}-qti", "xmlns": PACKAGE})
    metadata = Xml.SubElement(manifest, "metadata")
    Xml.SubElement(metadata, "schema").text = "IMS Content"
    Xml.SubElement(metadata, "schemaversion").text = "1.1.3"
    Xml.SubElement(manifest, "organizations")
    resources = Xml.SubElement(manifest, "resources")
    files: dict[str, bytes] = {}
    for lesson in lesson_set.lessons:
        mine = [question for question in questions if question.lesson.id == lesson.id]
        name = f"{lesson.id}/{lesson.id}.xml"
        files[name] = _assessment(lesson.id, lesson.title, mine, losses)
        resource = Xml.SubElement(resources, "resource", {"identifier": lesson.id, "type": "imsqti_xmlv1p2"})
        Xml.SubElement(resource, "file", {"href": name})
    files["imsmanifest.xml"] = _document(manifest)
    replace_file(path, _zip(files))
    return Outcome(path, len(questions), "questions", losses.all())


def _assessment(ident: str, title: str, questions: list[Question], losses: Losses) -> bytes:
    root = Xml.Element("questestinterop", {"xmlns": QTI})
    assessment = Xml.SubElement(root, "assessment", {"ident": ident, "title": title})
    section = Xml.SubElement(assessment, "section", {"ident": "root_section"})
    for question in questions:
        _item(section, question, losses)
    return _document(root)


def _document(root: Xml.Element) -> bytes:
    Xml.indent(root)
    return bytes(Xml.tostring(root, encoding="UTF-8", xml_declaration=True))


def _item(section: Xml.Element, question: Question, losses: Losses) -> None:
    item = Xml.SubElement(section, "item", {"ident": question.id, "title": question.name})
    multiple = sum(choice.right for choice in question.choices) > 1
    kind = "multiple_answers_question" if multiple else TYPES[question.kind]
    fields = Xml.SubElement(Xml.SubElement(item, "itemmetadata"), "qtimetadata")
    for label, entry in (("question_type", kind), ("points_possible", "1")):
        row = Xml.SubElement(fields, "qtimetadatafield")
        Xml.SubElement(row, "fieldlabel").text = label
        Xml.SubElement(row, "fieldentry").text = entry
    presentation = Xml.SubElement(item, "presentation")
    text = question.text
    if question.kind == "order":
        text += "\n" + " / ".join(sorted(question.tokens, key=str.casefold))
        losses.add("ordering, which became a short answer", question.id)
    _material(presentation, text)
    processing = Xml.Element("resprocessing")
    outcomes = Xml.SubElement(processing, "outcomes")
    score = {"maxvalue": "100", "minvalue": "0", "varname": "SCORE", "vartype": "Decimal"}
    Xml.SubElement(outcomes, "decvar", score)
    if question.kind == "choice":
        _choice(item, presentation, processing, question, multiple)
    elif question.kind == "match":
        _match(presentation, processing, question)
    else:
        _text(presentation, processing, question, losses)
    item.insert(2, processing)
    if question.explain:
        _feedback(item, "general_fb", question.explain)
    if question.hint:
        losses.add("first hint (platforms ignore QTI hints)", question.id)


def _material(parent: Xml.Element, text: str) -> None:
    """Text as the HTML that platforms expect, so that lines stay apart."""
    markup = html.escape(text, quote=False).replace("\n", "<br/>")
    material = Xml.SubElement(parent, "material")
    Xml.SubElement(material, "mattext", {"texttype": "text/html"}).text = f"<p>{markup}</p>"


def _condition(processing: Xml.Element, *, stop: bool) -> tuple[Xml.Element, Xml.Element]:
    condition = Xml.SubElement(processing, "respcondition", {"continue": "No" if stop else "Yes"})
    return condition, Xml.SubElement(condition, "conditionvar")


def _score(condition: Xml.Element, points: float, action: str = "Set") -> None:
    value = Xml.SubElement(condition, "setvar", {"action": action, "varname": "SCORE"})
    value.text = f"{points:g}"


def _general(processing: Xml.Element, question: Question) -> None:
    if question.explain:
        condition, variable = _condition(processing, stop=False)
        Xml.SubElement(variable, "other")
        Xml.SubElement(condition, "displayfeedback", {"feedbacktype": "Response", "linkrefid": "general_fb"})


def _choice(
    item: Xml.Element, presentation: Xml.Element, processing: Xml.Element, question: Question, multiple: bool
) -> None:
    attributes = {"ident": "response1", "rcardinality": "Multiple" if multiple else "Single"}
    render = Xml.SubElement(Xml.SubElement(presentation, "response_lid", attributes), "render_choice")
    idents = [str(1000 + at) for at in range(len(question.choices))]
    _general(processing, question)
    for ident, choice in zip(idents, question.choices, strict=True):
        _material(Xml.SubElement(render, "response_label", {"ident": ident}), choice.text)
        if choice.reply:
            condition, variable = _condition(processing, stop=False)
            Xml.SubElement(variable, "varequal", {"respident": "response1"}).text = ident
            link = {"feedbacktype": "Response", "linkrefid": f"{ident}_fb"}
            Xml.SubElement(condition, "displayfeedback", link)
            _feedback(item, f"{ident}_fb", choice.reply)
    condition, variable = _condition(processing, stop=True)
    holder = Xml.SubElement(variable, "and") if multiple else variable
    for ident, choice in zip(idents, question.choices, strict=True):
        if choice.right:
            Xml.SubElement(holder, "varequal", {"respident": "response1"}).text = ident
        elif multiple:
            Xml.SubElement(Xml.SubElement(holder, "not"), "varequal", {"respident": "response1"}).text = ident
    _score(condition, 100)


def _match(presentation: Xml.Element, processing: Xml.Element, question: Question) -> None:
    rights = sorted(right for _, right in question.pairs)
    for at, (left, right) in enumerate(question.pairs):
        name = f"response_{at + 1}"
        response = Xml.SubElement(presentation, "response_lid", {"ident": name})
        _material(response, left)
        render = Xml.SubElement(response, "render_choice")
        for number, text in enumerate(rights):
            label = Xml.SubElement(render, "response_label", {"ident": str(2000 + number)})
            _material(label, text)
        condition, variable = _condition(processing, stop=False)
        Xml.SubElement(variable, "varequal", {"respident": name}).text = str(2000 + rights.index(right))
        _score(condition, round(100 / len(question.pairs), 2), "Add")


def _text(presentation: Xml.Element, processing: Xml.Element, question: Question, losses: Losses) -> None:
    response = Xml.SubElement(presentation, "response_str", {"ident": "response1", "rcardinality": "Single"})
    render = Xml.SubElement(response, "render_fib")
    Xml.SubElement(render, "response_label", {"ident": "answer1", "rshuffle": "No"})
    _general(processing, question)
    condition, variable = _condition(processing, stop=True)
    if question.kind == "essay":
        Xml.SubElement(variable, "other")
        if question.answers:
            losses.add("model text of a writing task", question.id)
        return
    for answer in question.answers:
        Xml.SubElement(variable, "varequal", {"respident": "response1"}).text = answer
    _score(condition, 100)


def _feedback(item: Xml.Element, ident: str, text: str) -> None:
    feedback = Xml.SubElement(item, "itemfeedback", {"ident": ident})
    _material(Xml.SubElement(feedback, "flow_mat"), text)


def _zip(files: dict[str, bytes]) -> bytes:
    """The same files give the same bytes, so that a second export can be compared with the first."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(files):
            archive.writestr(zipfile.ZipInfo(name, _DATE), files[name], zipfile.ZIP_DEFLATED)
    return buffer.getvalue()
