"""Words of the invented hospital: names, places, reasons and sentences in the French of Québec.

Every person, number and sentence is made up; the municipalities exist.
"""

from typing import Final

HOSPITAL: Final = "Centre hospitalier Sainte-Rive"

FAMILY_NAMES: Final = (  # noqa: SIM905 - names, not a column of them
    "Tremblay Gagnon Roy Côté Bouchard Gauthier Morin Lavoie Fortin Gagné Ouellet Pelletier "
    "Bélanger Lévesque Bergeron Leblanc Paquette Girard Simard Boucher Caron Beaulieu "
    "Cloutier Dubé Poirier Fournier Lapointe Leclerc Lefebvre Poulin Thibault St-Pierre "
    "Nadeau Martin Landry Martel Bédard Grenier Lessard Bernier Richard Michaud Hébert "
    "Desjardins Couture Turcotte Lachance Parent Blais Gosselin Savard Proulx Beaudoin Demers "
    "Perreault Boudreau Lemieux Cyr Perron Dufour Dion Mercier Bolduc Bérubé Boisvert "
    "Langlois Ménard Therrien Plante Bilodeau Blanchette Dubois Champagne Paradis Arsenault "
    "Gaudreault Veilleux Harvey Villeneuve Rousseau Nguyen Haddad Awashish Vollant Papatie "
    "Okpik Diallo Benali Charbonneau"
).split()

FEMALE_NAMES: Final = (  # noqa: SIM905 - names, not a column of them
    "Marie Nathalie Julie Isabelle Mélanie Chantal Annie Geneviève Véronique Caroline Émilie "
    "Stéphanie Manon Johanne Line France Hélène Josée Audrey Catherine Valérie Camille "
    "Rosalie Florence Alice Zoé Léa Béatrice Juliette Ariane Maélie Noémie Thérèse Huguette "
    "Gisèle Pierrette Solange Fatima Mai Uapukun"
).split()

MALE_NAMES: Final = (  # noqa: SIM905 - names, not a column of them
    "Michel Pierre Jean André Daniel Claude Robert Jacques Martin François Éric Sylvain "
    "Stéphane Mathieu Alexandre Maxime Olivier Samuel Gabriel William Thomas Nathan Félix "
    "Antoine Raphaël Xavier Jérémy Étienne Benoît Luc Réjean Gaétan Normand Léo Théo Édouard "
    "Hubert Karim Minh Napess"
).split()

MUNICIPALITIES: Final = {
    "Québec": 540,
    "Lévis": 145,
    "Trois-Rivières": 136,
    "Saguenay": 145,
    "Rimouski": 48,
    "Rivière-du-Loup": 20,
    "Saint-Georges": 33,
    "Thetford Mines": 26,
    "Montmagny": 11,
    "La Malbaie": 8,
    "Baie-Saint-Paul": 7,
    "L'Ancienne-Lorette": 17,
    "Saint-Augustin-de-Desmaures": 19,
    "Sainte-Marie": 13,
    "Victoriaville": 46,
    "Drummondville": 76,
    "Matane": 14,
    "Sept-Îles": 25,
    "Wendake": 2,
    "Mashteuiatsh": 2,
}

SERVICES: Final = (
    "urgence",
    "médecine interne",
    "cardiologie",
    "pneumologie",
    "orthopédie",
    "pédiatrie",
    "obstétrique",
    "oncologie",
    "gériatrie",
    "chirurgie d'un jour",
    "clinique externe",
    "radiologie",
)

REASONS: Final = (
    "Douleur thoracique",
    "Dyspnée à l'effort",
    "Chute sur la glace",
    "Suivi de grossesse",
    "Contrôle du diabète de type 2",
    "Hypertension artérielle",
    "Fièvre et toux",
    "Fracture du poignet",
    "Céphalée persistante",
    "Douleur abdominale",
    "Renouvellement d'ordonnance",
    "Préparation à une coloscopie",
    "Suivi postopératoire",
    "Éruption cutanée",
    "Lombalgie chronique",
    "Palpitations",
)

#: Analyte, unit, usual mean, usual spread.
ANALYTES: Final = (
    ("hémoglobine", "g/L", 138.0, 14.0),
    ("leucocytes", "10^9/L", 7.2, 2.1),
    ("plaquettes", "10^9/L", 248.0, 61.0),
    ("glucose", "mmol/L", 5.6, 1.4),
    ("créatinine", "µmol/L", 78.0, 19.0),
    ("sodium", "mmol/L", 139.6, 2.8),
    ("potassium", "mmol/L", 4.2, 0.4),
    ("HbA1c", "%", 6.1, 1.1),
    ("troponine T", "ng/L", 9.0, 6.0),
    ("TSH", "mUI/L", 2.3, 1.2),
)

SENTENCES: Final = (
    "La patiente se présente accompagnée de sa fille, qui confirme l'anamnèse.",
    "Le patient nie toute douleur thoracique depuis la dernière visite.",
    "Antécédents : hypertension, dyslipidémie, tabagisme cessé en 2011.",
    "À l'examen, état général conservé, bien orienté dans les trois sphères.",
    "Auscultation pulmonaire claire, sans bruits surajoutés.",
    "Abdomen souple, dépressible, sans défense ni masse palpable.",
    "Signes vitaux stables : TA 128/76, FC 72, SpO2 97 % à l'air ambiant.",
    "L'électrocardiogramme montre un rythme sinusal régulier, sans changement du segment ST.",
    "La radiographie ne démontre aucune fracture ni luxation.",
    "Bilan sanguin demandé : formule sanguine complète, électrolytes, créatinine, glycémie.",
    "Une consultation en cardiologie est prévue d'ici six semaines.",
    "Ordonnance remise : acétaminophène 500 mg aux six heures au besoin.",
    "Congé ce jour avec les consignes usuelles ; revenir si fièvre ou aggravation.",
    "Le consentement libre et éclairé a été obtenu et consigné au dossier.",
    "Allergie connue à la pénicilline, bracelet vérifié au chevet.",
    "Le suivi sera assuré par le groupe de médecine familiale du secteur.",
    "Hydratation intraveineuse entreprise, bien tolérée.",
    "Plaie propre, points retirés, aucun signe d'infection.",
    "Enseignement fait sur la prise d'insuline et le suivi des glycémies capillaires.",
    "Dossier révisé en réunion interdisciplinaire ; le plan d'intervention est maintenu.",
)
