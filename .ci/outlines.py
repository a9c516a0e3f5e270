#!/usr/bin/env python3
"""Writes src/picture/outlines.txt: the outlines of countries, projected, as SVG paths.

    .ci/outlines.py countries-110m.json > src/picture/outlines.txt

The input is Natural Earth's "Admin 0 countries" at 1:110m as TopoJSON, as the npm package
`world-atlas` (2.0.2) has it: `npm pack world-atlas`. Both are free: Natural Earth is in the public
domain, the package has the ISC licence. The script needs Python 3 alone.

Codes follow ISO 3166-1, as GeoIP databases do. So the script gives Crimea to UA, Northern Cyprus to
CY, Somaliland to SO, French Guiana to GF and Svalbard to SJ. Antarctica is left out.
"""

import json
import math
import sys

HEAD = """\
# Outlines of countries, made by .ci/outlines.py from Natural Earth 1:110m (public domain).
# Row: ISO 3166-1 alpha-2 code (XK: Kosovo), a blank, path data of SVG (fill-rule evenodd).
# Frame: 0 0 2000 872 (x, y, width, height); y grows to the south; Antarctica is left out.
# Projection: Natural Earth (Savric and others 2011). JavaScript, degrees to the frame:
#   const project = (lat, lon) => {
#     const f = lat * Math.PI / 180, l = lon * Math.PI / 180, u = f * f, v = u * u;
#     const k = 1000 / (0.8707 * Math.PI); // 180 degrees at the equator are 1000 units
#     const x = l * (0.8707 - 0.131979 * u + v * (-0.013791 + v * u * (0.003971 - 0.001529 * u)));
#     const y = f * (1.007226 + 0.015085 * u + v * u * (-0.044475 + 0.028874 * u - 0.005916 * v));
#     return [1000 + k * x, 510 - k * y];
#   };
"""

# ISO 3166-1 numeric to alpha-2, of the countries of the input.
CODES = dict(
    pair.split("=")
    for pair in (
        "004=AF 008=AL 012=DZ 024=AO 031=AZ 032=AR 036=AU 040=AT 044=BS 050=BD 051=AM 056=BE 064=BT "
        "068=BO 070=BA 072=BW 076=BR 084=BZ 090=SB 096=BN 100=BG 104=MM 108=BI 112=BY 116=KH 120=CM "
        "124=CA 140=CF 144=LK 148=TD 152=CL 156=CN 158=TW 170=CO 178=CG 180=CD 188=CR 191=HR 192=CU "
        "196=CY 203=CZ 204=BJ 208=DK 214=DO 218=EC 222=SV 226=GQ 231=ET 232=ER 233=EE 238=FK 242=FJ "
        "246=FI 250=FR 260=TF 262=DJ 266=GA 268=GE 270=GM 275=PS 276=DE 288=GH 300=GR 304=GL 320=GT "
        "324=GN 328=GY 332=HT 340=HN 348=HU 352=IS 356=IN 360=ID 364=IR 368=IQ 372=IE 376=IL 380=IT "
        "384=CI 388=JM 392=JP 398=KZ 400=JO 404=KE 408=KP 410=KR 414=KW 417=KG 418=LA 422=LB 426=LS "
        "428=LV 430=LR 434=LY 440=LT 442=LU 450=MG 454=MW 458=MY 466=ML 478=MR 484=MX 496=MN 498=MD "
        "499=ME 504=MA 508=MZ 512=OM 516=NA 524=NP 528=NL 540=NC 548=VU 554=NZ 558=NI 562=NE 566=NG "
        "578=NO 586=PK 591=PA 598=PG 600=PY 604=PE 608=PH 616=PL 620=PT 624=GW 626=TL 630=PR 634=QA "
        "642=RO 643=RU 646=RW 682=SA 686=SN 688=RS 694=SL 703=SK 704=VN 705=SI 706=SO 710=ZA 716=ZW "
        "724=ES 728=SS 729=SD 732=EH 740=SR 748=SZ 752=SE 756=CH 760=SY 762=TJ 764=TH 768=TG 780=TT "
        "784=AE 788=TN 792=TR 795=TM 800=UG 804=UA 807=MK 818=EG 826=GB 834=TZ 840=US 854=BF 858=UY "
        "860=UZ 862=VE 887=YE 894=ZM"
    ).split()
)
NAMES = {"Kosovo": "XK", "N. Cyprus": "CY", "Somaliland": "SO"}

# Polygons whose first point is in a box (west, south, east, north) have another code.
BOXES = [("RU", (32, 44, 37, 46.5), "UA"), ("FR", (-55, 1, -50, 7), "GF"), ("NO", (5, 74, 35, 82), "SJ")]

SCALE = 1000 / (0.8707 * math.pi)


def project(lon, lat):
    """Point of the frame, by the formula in the head of the file."""
    f, l = math.radians(lat), math.radians(lon)
    u = f * f
    v = u * u
    x = l * (0.8707 - 0.131979 * u + v * (-0.013791 + v * u * (0.003971 - 0.001529 * u)))
    y = f * (1.007226 + 0.015085 * u + v * u * (-0.044475 + 0.028874 * u - 0.005916 * v))
    return 1000 + SCALE * x, 510 - SCALE * y


def code(country, place):
    """Code of one polygon of a country."""
    of = NAMES.get(country["properties"]["name"]) or CODES[country["id"]]
    for owner, (west, south, east, north), other in BOXES:
        if of == owner and west < place[0] < east and south < place[1] < north:
            return other
    return of


def polygons(topology):
    """Code to rings of arcs, without the arcs that two polygons of one code share."""
    (sx, sy), (tx, ty) = topology["transform"]["scale"], topology["transform"]["translate"]
    arcs = []
    for arc in topology["arcs"]:
        x = y = 0
        points = []
        for dx, dy in arc:
            x, y = x + dx, y + dy
            points.append((x * sx + tx, y * sy + ty))
        arcs.append(points)
    of = {}
    for country in topology["objects"]["countries"]["geometries"]:
        if country["properties"]["name"] == "Antarctica":
            continue
        several = country["type"] == "MultiPolygon"
        for polygon in country["arcs"] if several else [country["arcs"]]:
            first = polygon[0][0]
            place = arcs[first if first >= 0 else ~first][0]
            of.setdefault(code(country, place), []).extend(polygon)
    return {key: rings(inside, arcs) for key, inside in sorted(of.items())}


def rings(given, arcs):
    """Closed rings of points. Rings that share an arc become one."""
    used = [arc for ring in given for arc in ring]
    left = [arc for arc in used if ~arc not in used]
    parts = [arcs[arc] if arc >= 0 else arcs[~arc][::-1] for arc in left]
    closed = []
    while parts:
        ring = list(parts.pop(0))
        while ring[0] != ring[-1]:
            place = next(place for place, part in enumerate(parts) if part[0] == ring[-1])
            ring += parts.pop(place)[1:]
        closed += halves(ring)
    return closed


def halves(ring):
    """Parts of a ring on both sides of the antimeridian, where the input leaps over it."""
    cuts = [at for at in range(1, len(ring)) if abs(ring[at][0] - ring[at - 1][0]) > 180]
    if not cuts:
        return [ring]
    # The part before the first leap and the part behind the last one are on one side.
    outer = ring[cuts[-1] :] + ring[1 : cuts[0]]
    inner = [ring[start:end] for start, end in zip(cuts, cuts[1:])]
    return [part + part[:1] for part in [outer] + inner]


def path(ring):
    """Path data of a ring: whole numbers, each point from the one before; "" if it is a line."""
    points = []
    for point in ring:
        x, y = project(*point)
        at = (round(x), round(y))
        if points and points[-1] == at:
            continue
        while len(points) > 1 and between(points[-2], points[-1], at):
            points.pop()
        points.append(at)
    if points[0] == points[-1]:
        points.pop()
    if len(points) < 3:
        return ""
    (x, y), *rest = points
    text = f"M{x} {y}l"
    for px, py in rest:
        for step in (px - x, py - y):
            text += str(step) if step < 0 or text[-1] == "l" else f" {step}"
        x, y = px, py
    return text + "z"


def between(one, two, three):
    """True if the second point is on the straight line from the first to the third."""
    (ax, ay), (bx, by), (cx, cy) = one, two, three
    ahead = (bx - ax) * (cx - bx) + (by - ay) * (cy - by) > 0
    return ahead and (bx - ax) * (cy - by) == (by - ay) * (cx - bx)


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        topology = json.load(file)
    sys.stdout.write(HEAD)
    for key, inside in polygons(topology).items():
        data = "".join(path(ring) for ring in inside)
        if data:
            sys.stdout.write(f"{key} {data}\n")


if __name__ == "__main__":
    main()
