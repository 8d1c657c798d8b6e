//! Plans without making: for dry runs and for records.

use catalog::{Inputs, Model};
use domain::facts::Facts;
use serde_json::Value;
use server::{Forecast, Forecasted};

use crate::wiring::{DEFAULT_ENGINE, Engines};

/// Plans, and asks the model's engine what it would honour.
pub(crate) struct Planner {
    pub engines: Engines,
}

// === impl Planner ===

impl Forecast for Planner {
    fn forecast(&self, model: &Model, inputs: &Inputs, facts: Option<&Facts>) -> Forecasted {
        let engine = model.engine().name.as_deref().unwrap_or(DEFAULT_ENGINE);
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
}
