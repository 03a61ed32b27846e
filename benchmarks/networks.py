"""Structures of networks of the literature, as in the R package bnlearn; cause>effect.

asia: Lauritzen, Spiegelhalter 1988; sachs: Sachs et al. 2005; child: Spiegelhalter, Cowell 1992; insurance: Binder et
al. 1997; alarm: Beinlich et al. 1989.
"""

from __future__ import annotations

__all__ = ["NETWORKS"]

NETWORKS = {
    "asia": "asia>tub tub>either smoke>lung smoke>bronc lung>either either>xray either>dysp bronc>dysp",
    "sachs": (
        "PKC>Mek PKC>Raf PKC>Jnk PKC>P38 PKC>PKA PKA>Raf PKA>Mek PKA>Erk PKA>Akt PKA>Jnk PKA>P38 Raf>Mek Mek>Erk "
        "Erk>Akt Plcg>PIP3 Plcg>PIP2 PIP3>PIP2"
    ),
    "child": (
        "Asphyxia>Disease Disease>Age Disease>LVH Disease>Duct Disease>Mixing Disease>Parench Disease>Flow "
        "Disease>Sick LVH>LVHreport Duct>Hypoxia Mixing>Hypoxia Mixing>InO2 Parench>InO2 Parench>CO2 Parench>Xray "
        "Flow>Xray Parench>Grunting Sick>Grunting Sick>Age Hypoxia>LowerO2 InO2>LowerO2 InO2>RUQO2 CO2>CO2report "
        "Xray>XrayReport Grunting>GruntingReport"
    ),
    "insurance": (
        "Age>GoodStudent Econ>GoodStudent Age>Econ Econ>Risk Age>Risk Econ>Year Risk>Year Accident>ThisCarDam "
        "Rugged>ThisCarDam Model>Rugged Year>Rugged Antilock>Accident Mileage>Accident Quality>Accident Econ>Model "
        "Risk>Model Skill>Quality Risk>Quality Rugged>OtherCost Accident>OtherCost ThisCarDam>ThisCost Value>ThisCost "
        "Theft>ThisCost AntiTheft>Theft Home>Theft Value>Theft Model>Value Year>Value Mileage>Value Risk>Home "
        "Econ>Home Risk>AntiTheft Econ>AntiTheft OtherCost>PropCost ThisCost>PropCost Econ>OtherCar Age>MedCost "
        "Accident>MedCost Cushioning>MedCost Rugged>Cushioning Airbag>Cushioning Model>Airbag Year>Airbag "
        "Accident>Liability Age>Skill Senior>Skill Age>Senior Risk>Senior Model>Antilock Year>Antilock "
        "Skill>History Risk>History"
    ),
    "alarm": (
        "LVF>History LVED>CVP LVED>PCWP Hypo>LVED LVF>LVED Hypo>Stroke LVF>Stroke LowOut>HRBP HR>HRBP Cauter>HREKG "
        "HR>HREKG Cauter>HRSat HR>HRSat Anaph>TPR ArtCO2>ExpCO2 VentLung>ExpCO2 Intub>MinVol VentLung>MinVol "
        "FiO2>PVSat VentAlv>PVSat PVSat>SaO2 Shunt>SaO2 Pulm>PAP Pulm>Shunt Intub>Shunt Intub>Press Kinked>Press "
        "VentTube>Press MinSet>Machine Machine>VentTube Discon>VentTube VentTube>VentLung Intub>VentLung "
        "Kinked>VentLung VentLung>VentAlv Intub>VentAlv VentAlv>ArtCO2 ArtCO2>Catechol Anesth>Catechol SaO2>Catechol "
        "TPR>Catechol Catechol>HR HR>CO Stroke>CO CO>BP TPR>BP"
    ),
}
