"""The framework as SDMX structure messages: SDMX-ML 2.1, SDMX-ML 3.0 and SDMX-JSON 2.0.

    artefacts     Library → objects of the SDMX information model (sdmx1), made once
    ml21 ml30 json20    artefacts → one message, in all languages
    tree          which artefacts answer which address, and `files/structures/`
    xsd           one data structure → the XML schema of its structure-specific data

sdmx1's own writer knows 2.1 only and pysdmx keeps one language, hence these writers.
"""
