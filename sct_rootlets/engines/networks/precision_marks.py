"""Layers of a network in OpenVINO's form that are never computed in reduced precision.

What bfloat16 changes of an answer comes for the most part from the first layers: an image
has more digits than bfloat16's eight bits, and their weights are few. OpenVINO has a mark for
layers that must not be reduced; its CPU plugin heeds it where it is in the file of the network
(a mark made on a network in memory is lost when it is compiled).
"""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from xml.etree import ElementTree

__all__ = ["mark_first_stage"]

#: Layers that may give fewer voxels than they are given.
_SAMPLING = ("Convolution", "GroupConvolution", "MaxPool", "AvgPool")

#: Layers without arithmetic of their own; OpenVINO converts constants for those who read them.
_WITHOUT_PRECISION = ("Parameter", "Const", "Result")

#: OpenVINO's mark ("DisableFP16Compression" in its sources, and bfloat16's as well).
_MARK = {"name": "precise", "version": "0"}


def mark_first_stage(xml: Path, marked: Path) -> int:
    """Write a network with the layers before its first downsampling marked to stay in float32.

    Parameters
    ----------
    xml : Path
        Network in OpenVINO's form.
    marked : Path
        File for the same one with marks; it goes with the .bin of `xml`.

    Returns
    -------
    int
        How many layers were marked: all of a network that never samples down.
    """
    tree = ElementTree.parse(xml)
    layers = {layer.attrib["id"]: layer for layer in tree.iterfind("layers/layer")}
    given_by: dict[str, list[str]] = defaultdict(list)
    for edge in sorted(tree.iterfind("edges/edge"), key=lambda edge: int(edge.attrib["to-port"])):
        given_by[edge.attrib["to-layer"]].append(edge.attrib["from-layer"])
    chosen = _before(_first_below(layers, given_by), given_by)
    chosen = {each for each in chosen if layers[each].attrib["type"] not in _WITHOUT_PRECISION}
    for each in chosen:
        _mark(layers[each])
    tree.write(marked, encoding="utf-8", xml_declaration=True)
    return len(chosen)


def _first_below(
    layers: dict[str, ElementTree.Element], given_by: dict[str, list[str]]
) -> list[str]:
    """Return what the first layer with fewer voxels is given, or else what is given out."""
    for name, layer in layers.items():  # in the order in which they can be computed
        if layer.attrib["type"] in _SAMPLING:
            source = given_by[name][0]
            if _voxels(layer) < _voxels(layers[source]):
                return [source]
    results = (name for name, layer in layers.items() if layer.attrib["type"] == "Result")
    return [source for name in results for source in given_by[name]]


def _voxels(layer: ElementTree.Element) -> int:
    """Return how many voxels the first output (N, C, *spatial) of a layer has."""
    count = 1
    for dim in layer.findall("output/port[1]/dim")[2:]:
        count *= int(dim.text or 1)
    return count


def _before(last: list[str], given_by: dict[str, list[str]]) -> set[str]:
    """Return layers and all that they depend on."""
    found: set[str] = set()
    waiting = list(last)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += given_by[name]
    return found


def _mark(layer: ElementTree.Element) -> None:
    info = layer.find("rt_info")
    if info is None:
        info = ElementTree.SubElement(layer, "rt_info")
    ElementTree.SubElement(info, "attribute", _MARK)
