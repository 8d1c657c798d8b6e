//! Plans without making: for dry runs and for records.

use catalog::{Catalog, Inputs, Model};
use domain::facts::Facts;
use engine::Engine;
use serde_json::Value;
use server::{Forecast, Forecasted, SystemEngine, SystemHonour};

use crate::wiring::{DEFAULT_ENGINE, Engines};

/// Plans, and asks the model's engine what it would honour.
pub(crate) struct Planner {
    pub engines: Engines,
}

// === impl Planner ===

impl Forecast for Planner {
    fn forecast(&self, model: &Model, inputs: &Inputs, facts: Option<&Facts>) -> Forecasted {
        let engine = engine_of(model);
        let plan = worker::shot::plan(inputs, facts);
        let assessment = self.engines.get(engine).map(|engine| engine.assess(&plan, facts));
        let unmet = assessment.map(|assessment| assessment.unmet).unwrap_or_default();
        Forecasted {
            plan: serde_json::to_value(&plan).unwrap_or_default(),
            engine: Some(engine.to_owned()),
            unmet: unmet.iter().map(|u| serde_json::to_value(u).unwrap_or(Value::Null)).collect(),
            provisional: facts.is_none(),
        }
    }

    fn engines(&self, catalog: &Catalog) -> Vec<SystemEngine> {
        self.engines.values().map(|engine| described(engine.as_ref(), catalog)).collect()
    }
}

/// The engine that makes the clips of a model.
fn engine_of(model: &Model) -> &str {
    model.engine().name.as_deref().unwrap_or(DEFAULT_ENGINE)
}

fn described(engine: &dyn Engine, catalog: &Catalog) -> SystemEngine {
    let honour = |honour: &engine::Honour| SystemHonour {
        wish: honour.wish.to_owned(),
        degree: honour.degree.as_str().to_owned(),
        note: honour.note.to_owned(),
    };
    let of_it = |model: &&Model| engine_of(model) == engine.name();
    SystemEngine {
        name: engine.name().to_owned(),
        version: engine.version().to_owned(),
        models: catalog.models().filter(of_it).map(|model| model.id().to_owned()).collect(),
        honours: engine.honours().iter().map(honour).collect(),
    }
}
