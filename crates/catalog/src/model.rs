//! One model: what the catalogue says of it, and what it makes of a body.

use domain::Fault;
use domain::facts::MediaFacts;
use domain::usage::Microdollars;
use serde_json::{Map, Value};

use crate::inputs::{Fields, Inputs, UnreadableBody};
use crate::manifest::{EngineDefaults, Manifest, PriceUnit, Timeouts};
use crate::media::MediaInput;
use crate::output::{OutputSpec, Ratio, Size};
use crate::rules::{self, UrlPolicy};
use crate::schema::Schema;
use crate::validate::Walk;

/// What happens to fields that the schema does not name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Strictness {
    /// They have no effect, and a warning says so.
    #[default]
    Lenient,
    /// They are faults.
    Strict,
}

/// A body that was accepted.
#[derive(Debug, Clone, PartialEq)]
pub struct Accepted {
    /// The body to keep: fields in the schema's order, defaults filled in, nothing unknown.
    pub canonical: Value,
    /// What was accepted but has no effect.
    pub warnings: Vec<String>,
    /// The canonical body by its roles.
    pub inputs: Inputs,
    /// What will come out.
    pub output: OutputSpec,
}

/// One model of the catalogue, coherent since it was loaded.
#[derive(Debug, Clone)]
pub struct Model {
    pub(crate) manifest: Manifest,
    pub(crate) fields: Fields,
    pub(crate) schema: Schema,
    pub(crate) input_schema: Value,
    pub(crate) output_schema: Value,
    pub(crate) json_schema: Value,
    pub(crate) output_json_schema: Value,
    pub(crate) output: OutputSpec,
    pub(crate) readme: Option<String>,
    pub(crate) price: Microdollars,
    pub(crate) strictness: Strictness,
}

// === impl Model ===

impl Model {
    /// Finds every fault that can be known without touching a URL, or accepts the body.
    ///
    /// The list of faults is never empty.
    pub fn validate(
        &self,
        body: &Value,
        strictness: Strictness,
        urls: &dyn UrlPolicy,
    ) -> Result<Accepted, Vec<Fault>> {
        let mut walk = Walk { strict: strictness == Strictness::Strict, ..Walk::default() };
        let canonical = walk.accept(&self.schema, body, "");
        rules::apply(&self.fields, &canonical, urls, &mut walk.faults);
        if !walk.faults.is_empty() {
            return Err(walk.faults);
        }
        match self.inputs(&canonical) {
            Ok(inputs) => Ok(Accepted {
                canonical,
                warnings: walk.warnings,
                inputs,
                output: self.output.clone(),
            }),
            Err(UnreadableBody { pointer }) => {
                let msg = format!("{}: cannot be read", domain::fault::label(&pointer));
                Err(vec![Fault::at(&pointer, "value_error", msg)])
            }
        }
    }

    /// A kept canonical body by its roles; references to kept bytes are understood.
    pub fn inputs(&self, canonical: &Value) -> Result<Inputs, UnreadableBody> {
        self.fields.read(canonical)
    }

    /// The prompt of a kept body, as it was sent; `None` where this model cannot read it.
    pub fn prompt<'a>(&self, canonical: &'a Value) -> Option<&'a str> {
        self.fields.prompt(canonical)
    }

    /// What is wrong with a file of `bytes` bytes that was measured; empty if nothing.
    pub fn check(&self, input: &MediaInput, facts: &MediaFacts, bytes: u64) -> Vec<Fault> {
        input.check(facts, bytes)
    }

    /// What is allowed but not recommended about a file of `bytes` bytes.
    pub fn advise(&self, input: &MediaInput, bytes: u64) -> Vec<String> {
        input.advise(bytes)
    }

    /// The size of the output; see [`OutputSpec::size`].
    pub fn output_size(&self, ratio: Ratio, reference: Option<Size>) -> Size {
        self.output.size(ratio, reference)
    }

    /// What one success of `length_secs` seconds costs.
    pub fn price(&self, length_secs: u32) -> Microdollars {
        match self.manifest.price_unit {
            PriceUnit::Second => Microdollars::times(self.price, length_secs),
            PriceUnit::Output => self.price,
        }
    }

    /// Slash-separated, as in the URL.
    pub fn id(&self) -> &str {
        &self.manifest.model_id
    }

    /// For people.
    pub fn display_name(&self) -> &str {
        &self.manifest.display_name
    }

    /// For people.
    pub fn description(&self) -> &str {
        &self.manifest.description
    }

    /// More for people, in Markdown, where the model's folder has it.
    pub fn readme(&self) -> Option<&str> {
        self.readme.as_deref()
    }

    /// `model`, `workflow` or `inference`.
    pub fn kind(&self) -> &'static str {
        self.manifest.kind.as_str()
    }

    /// What it is good for.
    pub fn categories(&self) -> &[String] {
        &self.manifest.categories
    }

    /// USD for each [`Model::price_unit`].
    pub fn base_price_usd(&self) -> f64 {
        self.price.usd()
    }

    /// What the price is for.
    pub fn price_unit(&self) -> PriceUnit {
        self.manifest.price_unit
    }

    /// What the price leaves unsaid.
    pub fn pricing_note(&self) -> Option<&str> {
        self.manifest.pricing_note.as_deref()
    }

    /// The names of all fields, in the schema's order.
    pub fn input_names(&self) -> impl Iterator<Item = &str> {
        self.schema.properties.iter().map(|(name, _)| name.as_str())
    }

    /// The names of the fields that must be given.
    pub fn required_inputs(&self) -> &[String] {
        &self.schema.required
    }

    /// The smallest body that shows what the model does: each required input with the first example
    /// of its schema. `None` if one has no example.
    #[must_use]
    pub fn example(&self) -> Option<Value> {
        let first = |name: &String| {
            let example = self.input_schema().pointer(&format!("/properties/{name}/examples/0"))?;
            Some((name.clone(), example.clone()))
        };
        self.required_inputs().iter().map(first).collect::<Option<Map<_, _>>>().map(Value::Object)
    }

    /// The schema of the body in the dialect of the catalogue: what is served.
    pub fn input_schema(&self) -> &Value {
        &self.input_schema
    }

    /// The schema of the output in the dialect of the catalogue: what is served.
    pub fn output_schema(&self) -> &Value {
        &self.output_schema
    }

    /// The schema of the body in JSON Schema 2020-12.
    pub fn json_schema(&self) -> &Value {
        &self.json_schema
    }

    /// The schema of the output in JSON Schema 2020-12.
    pub fn output_json_schema(&self) -> &Value {
        &self.output_json_schema
    }

    /// What comes out.
    pub fn output(&self) -> &OutputSpec {
        &self.output
    }

    /// How long the stages may take.
    pub fn timeouts(&self) -> Timeouts {
        self.manifest.timeouts
    }

    /// What an engine is given unless the operator says otherwise.
    pub fn engine(&self) -> &EngineDefaults {
        &self.manifest.engine
    }

    /// What the operator, else the manifest, says about unknown fields.
    pub fn strictness(&self) -> Strictness {
        self.strictness
    }
}
