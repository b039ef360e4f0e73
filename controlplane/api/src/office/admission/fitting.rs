//! What must fit together across objects, judged from whichever end it changes: a machine and what it starts from, a
//! network and its template; and whether whoever places a machine may use that deployment.

use std::{any::Any, collections::BTreeSet};

use net_types::Name;
use xos_model::{
    DeploymentSpec, Effect, Fault, FlavorSpec, ImageSpec, InstanceSpec, Kind, KindName, NetworkSpec,
    NetworkTemplateSpec, Seeker, SliceSpec, UserSpec,
};

use super::{Admission, Misplaced};
use crate::office::{Rejection, Target, access::forbidden};

/// What has changed.
#[derive(Default)]
pub(super) struct Fitting {
    changed: Vec<(usize, Target)>,
    /// Instances that newly name a deployment.
    placed: Vec<(usize, Name)>,
}

impl Admission<'_, '_> {
    /// Notes what is to be judged of an object that is made, or that asks for something else than before.
    pub(super) fn note_fitting<K: Kind>(&mut self, name: &Name, before: Option<&K>, now: &K) {
        let kinds = [
            KindName::Slice,
            KindName::Instance,
            KindName::Image,
            KindName::Flavor,
            KindName::Network,
            KindName::NetworkTemplate,
        ];
        if kinds.contains(&K::KIND) {
            self.fitting.changed.push((self.place, Target { kind: K::KIND, name: name.clone() }));
        }
        let deployment = |spec: &dyn Any| {
            spec.downcast_ref::<InstanceSpec>().and_then(|spec| spec.placement.deployment.clone())
        };
        let now = deployment(now);
        if now.is_some() && now != before.and_then(|before| deployment(before)) {
            self.fitting.placed.push((self.place, name.clone()));
        }
    }

    /// All operations are done.
    pub(super) fn check_fitting(&mut self) -> Result<(), Misplaced> {
        let Fitting { changed, placed } = std::mem::take(&mut self.fitting);
        for (operation, name) in placed {
            self.check_placed(&name).map_err(|rejection| Misplaced { operation, rejection })?;
        }
        for (operation, target) in changed {
            let faults = self.unfit(&target).map_err(|rejection| Misplaced { operation, rejection })?;
            if !faults.is_empty() {
                return Err(Misplaced { operation, rejection: Rejection::invalid(faults) });
            }
        }
        Ok(())
    }

    fn check_placed(&self, name: &Name) -> Result<(), Rejection> {
        let Some(user) = self.judge.as_ref().and_then(|judge| judge.caller.user()) else { return Ok(()) };
        let Some(instance) = self.load::<InstanceSpec>(name)? else { return Ok(()) };
        let Some(place) = instance.spec.placement.deployment else { return Ok(()) };
        let Some(deployment) = self.load::<DeploymentSpec>(&place)? else { return Ok(()) };
        let site = self.load::<UserSpec>(user)?.and_then(|user| user.spec.site);
        let verdict = deployment.spec.judge(Seeker { user, site: site.as_ref() });
        if verdict.effect == Effect::Allow {
            return Ok(());
        }
        let why = match verdict.rule {
            Some(rule) => format!("its access[{rule}] denies it"),
            None => "none of its access rules speaks of them".into(),
        };
        let detail = format!("User {user} may not place machines at Deployment {place}: {why}");
        let faults = vec![Fault::new("/spec/placement/deployment", &detail)];
        Err(Rejection { faults, ..forbidden(detail) })
    }

    /// Where an object and what is made with it do not fit.
    fn unfit(&self, target: &Target) -> Result<Vec<Fault>, Rejection> {
        let mut faults = Vec::new();
        match target.kind {
            KindName::Network => faults.extend(self.unfit_network(&target.name, None)?),
            KindName::NetworkTemplate => {
                for network in self.referring(target, KindName::Network) {
                    faults.extend(self.unfit_network(&network, Some(&network))?);
                }
            }
            KindName::Instance => faults.extend(self.unfit_machine(target, &target.name)?),
            _ => {
                for instance in self.machines_with(target) {
                    faults.extend(self.unfit_machine(target, &instance)?);
                }
            }
        }
        Ok(faults)
    }

    fn referring(&self, target: &Target, kind: KindName) -> BTreeSet<Name> {
        let referrers = self.referrers(target.kind, &target.name);
        referrers.filter(|referrer| referrer.kind == kind).map(|referrer| referrer.name).collect()
    }

    /// The instances of a slice, or of an image or flavor that they or their slices name.
    fn machines_with(&self, target: &Target) -> BTreeSet<Name> {
        let mut machines = self.referring(target, KindName::Instance);
        if target.kind != KindName::Slice {
            for name in self.referring(target, KindName::Slice) {
                machines.extend(self.referring(&Target { kind: KindName::Slice, name }, KindName::Instance));
            }
        }
        machines
    }

    /// Where a machine does not fit its image, as a fault of `at`.
    fn unfit_machine(&self, at: &Target, name: &Name) -> Result<Vec<Fault>, Rejection> {
        let Some(instance) = self.load::<InstanceSpec>(name)? else { return Ok(Vec::new()) };
        let Some(slice) = self.load::<SliceSpec>(&instance.spec.slice)? else { return Ok(Vec::new()) };
        let machine = instance.spec.machine(&slice.spec);
        let Some(image) = machine.image.map(|image| self.load::<ImageSpec>(image)).transpose()?.flatten()
        else {
            return Ok(Vec::new());
        };
        let flavor = machine.flavor.map(|flavor| self.load::<FlavorSpec>(flavor)).transpose()?.flatten();
        let resources = machine.resources.or(flavor.map(|flavor| flavor.spec.0));
        let of = if at.kind == KindName::Instance { String::new() } else { format!("Instance {name}: ") };
        let misfits = machine.misfits(&image.spec, resources).into_iter();
        let fault = |misfit: xos_model::Misfit| {
            Fault::new(misfit.pointer(at.kind, machine.resources.is_some()), format!("{of}{misfit}"))
        };
        Ok(misfits.map(fault).collect())
    }

    /// Where a network contradicts its template.
    fn unfit_network(&self, name: &Name, of: Option<&Name>) -> Result<Vec<Fault>, Rejection> {
        let Some(network) = self.load::<NetworkSpec>(name)? else { return Ok(Vec::new()) };
        let Some(template) = &network.spec.template else { return Ok(Vec::new()) };
        let template = self.load::<NetworkTemplateSpec>(template)?;
        let faults = network.spec.with_template(template.as_ref().map(|template| &template.spec));
        let named = |fault: Fault| match of {
            Some(name) => Fault::new(fault.pointer, format!("Network {name}: {}", fault.detail)),
            None => fault,
        };
        Ok(faults.err().into_iter().flatten().map(named).collect())
    }
}
