//! Which schemas or databases are tenants.

use super::TenantTemplate;
use super::check::{Check, span_of};
use super::raw::Text;
use crate::inputs::diagnostic::quote;
use crate::inputs::template::Template;
use crate::tenants::Partition;
use crate::yaml::Node;

impl Check<'_> {
    /// The tenants of a service, which are of one kind.
    pub(super) fn tenants(
        &mut self,
        schemas: Option<Vec<Text>>,
        databases: Option<Vec<Text>>,
        node: &Node,
    ) -> Option<TenantTemplate> {
        if let (Some(_), Some(_), Some((key, _))) = (&schemas, &databases, node.entry("databases")) {
            let message = "`schemas` and `databases` stand side by side";
            self.tell(&key.span, message, "keep `schemas` for PostgreSQL, or `databases` for MySQL and MariaDB");
        }
        let schemas = schemas.and_then(|names| self.tenants_of(Partition::Schemas, &names, node));
        let databases = databases.and_then(|names| self.tenants_of(Partition::Databases, &names, node));
        schemas.or(databases)
    }

    fn tenants_of(&mut self, partition: Partition, names: &[Text], node: &Node) -> Option<TenantTemplate> {
        let key = partition.key();
        let nodes = node.get(key).map_or(&[][..], Node::items);
        let mut patterns = Vec::new();
        for (name, item) in names.iter().zip(nodes) {
            let Some(name) = self.text(Some(name.clone()), node, key) else { continue };
            let parsed = Template::parse(&name);
            patterns.extend(self.template(parsed, &item.span, |template| template.placeholders().collect()));
        }
        let hint = "write the names, in which `*` stands for any letters, as a list: `[\"tenant_*\"]`";
        match names.first() {
            None => self.tell(span_of(node, key), format!("{} is empty", quote(key)), hint),
            Some(Text(first)) if first.starts_with('!') => {
                let message = format!("{} begins with names that are no tenants", quote(key));
                self.tell(span_of(node, key), message, "write those that are before those that are not (`!`)");
            }
            Some(_) => {}
        }
        Some(TenantTemplate { partition, patterns })
    }
}
