//! How much of the pool one instance of a component needs, read from the component before it is compiled.
//!
//! The pool's size is fixed when an engine is made, and an engine is needed to compile; so the sections that say what
//! is instantiated are counted first. This is a count, not a check of validity: the compiler does that.

use thiserror::Error;
use wasmparser::{
    ComponentAlias, ComponentExternalKind, ComponentInstance, ComponentOuterAliasKind, ComponentTypeRef, Encoding,
    Instance, Parser, Payload,
};

/// The most core instances of one component; a large one from Python has a few dozen.
pub const MAX_CORE_INSTANCES: u32 = 128;
/// The most components inside of it that are instantiated, each of which the compiler unfolds.
pub const MAX_COMPONENT_INSTANCES: u32 = 1_000;
/// The most memories of one component.
pub const MAX_MEMORIES: u32 = 8;
/// The most tables of one component.
pub const MAX_TABLES: u32 = 128;
/// The most elements that one table begins with.
pub const MAX_TABLE_ELEMENTS: u64 = 1 << 20;

/// What one instance needs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Footprint {
    /// Core instances; a small component from Rust has 3, one from Python 14 or more.
    pub core_instances: u32,
    /// Instances of components inside of it.
    pub component_instances: u32,
    /// Linear memories.
    pub memories: u32,
    /// Tables.
    pub tables: u32,
    /// Elements of the largest table at the start.
    pub table_elements: u64,
    /// Bytes of all memories at the start.
    pub memory_bytes: u64,
}

/// A file that can't be a component of an adapter.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum NotAComponent {
    /// It is no WebAssembly, or broken.
    #[error("it is not a WebAssembly component: {0}")]
    Malformed(String),
    /// A core module, which lacks the component's types.
    #[error("it is a core module, not a component; make one of it with `hub plugin build`")]
    CoreModule,
    /// It takes modules from elsewhere, so that its size can't be known.
    #[error("it imports or aliases core modules, which the hub does not support")]
    Dynamic,
    /// It needs more than the hub gives to any component.
    #[error("it needs {needed} {what} at the start; at most {allowed} are allowed")]
    TooLarge {
        /// Of what.
        what: &'static str,
        /// By the component.
        needed: u64,
        /// By the hub.
        allowed: u64,
    },
}

impl From<wasmparser::BinaryReaderError> for NotAComponent {
    fn from(error: wasmparser::BinaryReaderError) -> Self {
        Self::Malformed(error.to_string())
    }
}

impl Footprint {
    /// Counts what an instance of this component needs.
    ///
    /// # Errors
    /// [`NotAComponent`]
    pub fn of(component: &[u8]) -> Result<Self, NotAComponent> {
        let mut scan = Scan::default();
        for payload in Parser::new(0).parse_all(component) {
            scan.take(payload?)?;
        }
        let needs = scan.whole.ok_or_else(|| NotAComponent::Malformed("it ends too early".to_owned()))?;
        needs.check()?;
        Ok(needs)
    }

    fn check(&self) -> Result<(), NotAComponent> {
        let bounds = [
            ("core instances", u64::from(self.core_instances), u64::from(MAX_CORE_INSTANCES)),
            ("component instances", u64::from(self.component_instances), u64::from(MAX_COMPONENT_INSTANCES)),
            ("memories", u64::from(self.memories), u64::from(MAX_MEMORIES)),
            ("tables", u64::from(self.tables), u64::from(MAX_TABLES)),
            ("elements of one table", self.table_elements, MAX_TABLE_ELEMENTS),
        ];
        match bounds.into_iter().find(|(_, needed, allowed)| needed > allowed) {
            Some((what, needed, allowed)) => Err(NotAComponent::TooLarge { what, needed, allowed }),
            None => Ok(()),
        }
    }

    fn add(&mut self, other: &Self) {
        self.core_instances = self.core_instances.saturating_add(other.core_instances);
        self.component_instances = self.component_instances.saturating_add(other.component_instances);
        self.memories = self.memories.saturating_add(other.memories);
        self.tables = self.tables.saturating_add(other.tables);
        self.table_elements = self.table_elements.max(other.table_elements);
        self.memory_bytes = self.memory_bytes.saturating_add(other.memory_bytes);
    }
}

/// What an index stands for: something counted here, or something from elsewhere.
type Known = Option<Footprint>;

#[derive(Default)]
struct Frame {
    is_module: bool,
    needs: Footprint,
    modules: Vec<Known>,
    components: Vec<Known>,
}

#[derive(Default)]
struct Scan {
    open: Vec<Frame>,
    whole: Option<Footprint>,
}

impl Scan {
    fn take(&mut self, payload: Payload<'_>) -> Result<(), NotAComponent> {
        if let Payload::Version { encoding, .. } = payload {
            return self.enter(encoding == Encoding::Module);
        }
        if let Payload::End(_) = payload {
            self.leave();
            return Ok(());
        }
        match self.open.last_mut() {
            Some(frame) if frame.is_module => frame.count(payload),
            Some(frame) => frame.instantiate(payload),
            None => Ok(()),
        }
    }

    fn enter(&mut self, is_module: bool) -> Result<(), NotAComponent> {
        if is_module && self.open.is_empty() {
            return Err(NotAComponent::CoreModule);
        }
        self.open.push(Frame { is_module, ..Frame::default() });
        Ok(())
    }

    fn leave(&mut self) {
        let Some(done) = self.open.pop() else { return };
        match self.open.last_mut() {
            None => self.whole = Some(done.needs),
            Some(parent) if done.is_module => parent.modules.push(Some(done.needs)),
            Some(parent) => parent.components.push(Some(done.needs)),
        }
    }
}

impl Frame {
    /// A core module: what each instance of it brings.
    fn count(&mut self, payload: Payload<'_>) -> Result<(), NotAComponent> {
        match payload {
            Payload::MemorySection(section) => {
                for memory in section {
                    let memory = memory?;
                    let page = 1u64 << memory.page_size_log2.unwrap_or(16).min(16);
                    let bytes = memory.initial.saturating_mul(page);
                    self.needs.memories = self.needs.memories.saturating_add(1);
                    self.needs.memory_bytes = self.needs.memory_bytes.saturating_add(bytes);
                }
            }
            Payload::TableSection(section) => {
                for table in section {
                    self.needs.tables = self.needs.tables.saturating_add(1);
                    self.needs.table_elements = self.needs.table_elements.max(table?.ty.initial);
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// A component: what it instantiates, and what its indices stand for.
    fn instantiate(&mut self, payload: Payload<'_>) -> Result<(), NotAComponent> {
        match payload {
            Payload::InstanceSection(section) => {
                for instance in section {
                    if let Instance::Instantiate { module_index, .. } = instance? {
                        self.needs.core_instances = self.needs.core_instances.saturating_add(1);
                        let module = known(&self.modules, module_index)?;
                        self.needs.add(&module);
                    }
                }
            }
            Payload::ComponentInstanceSection(section) => {
                for instance in section {
                    if let ComponentInstance::Instantiate { component_index, .. } = instance? {
                        let component = known(&self.components, component_index)?;
                        self.needs.component_instances = self.needs.component_instances.saturating_add(1);
                        self.needs.add(&component);
                    }
                }
            }
            Payload::ComponentAliasSection(section) => {
                for alias in section {
                    self.alias(&alias?);
                }
            }
            Payload::ComponentImportSection(section) => {
                for import in section {
                    self.import(import?.ty);
                }
            }
            Payload::ComponentExportSection(section) => {
                for export in section {
                    let export = export?;
                    self.export(export.kind, export.index);
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn import(&mut self, of: ComponentTypeRef) {
        match of {
            ComponentTypeRef::Module(_) => self.modules.push(None),
            ComponentTypeRef::Component(_) => self.components.push(None),
            _ => {}
        }
    }

    fn alias(&mut self, alias: &ComponentAlias<'_>) {
        match alias {
            ComponentAlias::InstanceExport { kind: ComponentExternalKind::Module, .. }
            | ComponentAlias::Outer { kind: ComponentOuterAliasKind::CoreModule, .. } => self.modules.push(None),
            ComponentAlias::InstanceExport { kind: ComponentExternalKind::Component, .. }
            | ComponentAlias::Outer { kind: ComponentOuterAliasKind::Component, .. } => self.components.push(None),
            _ => {}
        }
    }

    /// An export gives what it exports a further index.
    fn export(&mut self, kind: ComponentExternalKind, index: u32) {
        match kind {
            ComponentExternalKind::Module => self.modules.push(known(&self.modules, index).ok()),
            ComponentExternalKind::Component => self.components.push(known(&self.components, index).ok()),
            _ => {}
        }
    }
}

fn known(space: &[Known], index: u32) -> Result<Footprint, NotAComponent> {
    usize::try_from(index).ok().and_then(|index| space.get(index).copied().flatten()).ok_or(NotAComponent::Dynamic)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn of(text: &str) -> Result<Footprint, NotAComponent> {
        Footprint::of(&wat::parse_str(text).unwrap())
    }

    #[test]
    fn each_instance_of_a_module_counts() {
        let needs = of("(component
               (core module $a (memory 2) (table 10 funcref))
               (core module $b (memory 1) (table 7 funcref) (table 3 funcref))
               (core instance (instantiate $a))
               (core instance (instantiate $a))
               (core instance (instantiate $b)))");
        let expected = Footprint {
            core_instances: 3,
            component_instances: 0,
            memories: 3,
            tables: 4,
            table_elements: 10,
            memory_bytes: 5 * 65_536,
        };
        assert_eq!(needs, Ok(expected));
    }

    #[test]
    fn nested_components_count_as_often_as_they_are_instantiated() {
        let needs = of("(component
               (component $inner (core module $m (memory 1)) (core instance (instantiate $m)))
               (instance (instantiate $inner))
               (instance (instantiate $inner)))");
        let needs = needs.unwrap();
        assert_eq!((needs.memories, needs.component_instances), (2, 2));
    }

    #[test]
    fn what_is_no_component_is_said_so() {
        assert_eq!(of("(module)"), Err(NotAComponent::CoreModule));
        assert!(matches!(Footprint::of(b"<html>"), Err(NotAComponent::Malformed(_))));
        assert!(matches!(Footprint::of(b""), Err(NotAComponent::Malformed(_))));
        assert_eq!(
            of("(component (import \"m\" (core module $m)) (core instance (instantiate $m)))"),
            Err(NotAComponent::Dynamic)
        );
    }

    #[test]
    fn an_instance_bomb_is_too_large() {
        let mut text = "(component $c0 (core module $m (memory 1)) (core instance (instantiate $m)))".to_owned();
        for level in 1..20 {
            let inner = level - 1;
            text = format!(
                "(component $c{level} {text} (instance (instantiate $c{inner})) (instance (instantiate $c{inner})))"
            );
        }
        assert!(matches!(of(&text), Err(NotAComponent::TooLarge { .. })));
    }
}
