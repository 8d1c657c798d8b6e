//! The suite that every store must pass.
//!
//! `conformance_suite!(factory)` makes one `#[tokio::test]` per behaviour; `factory` is a function
//! that returns an empty store and whatever must outlive it (a temporary folder, say).
//!
//! # Panics
//!
//! Every function here panics where the store does not behave: that is its answer.
#![expect(
    clippy::unwrap_used,
    clippy::missing_panics_doc,
    clippy::needless_pass_by_value,
    reason = "a test suite: a failed call is a failed test"
)]

mod cancelling;
mod keys;
mod leases;
mod making;
mod many;
mod model;
mod order;
mod outbox;
mod requests;
mod retention;
mod sharing;
mod terms;

pub use cancelling::{
    cancel_in_every_state, forced_cancel_before_publish, publish_before_forced_cancel,
};
pub use keys::{
    files_are_named_once, keys_are_kept, keys_are_revoked, keys_are_rotated, uses_of_keys_are_kept,
};
pub use leases::{
    attempts_run_out, changes_are_counted, every_lease_method_is_fenced, leases_expire,
    losses_run_out, the_next_wake_is_the_earliest, void_takes_all_leases,
};
pub use making::{Dice, Maker};
pub use many::many_at_once;
pub use model::{Factory, agrees_with_the_reference};
pub use order::{
    a_claim_passes_over_backoff, a_clock_that_is_set_back_strands_nothing,
    a_set_back_request_keeps_its_place, order_is_fair_between_owners,
    order_is_strict_between_priorities, positions_are_ranks,
};
pub use outbox::{
    a_clock_that_is_set_back_delays_no_message, a_message_is_tried_until_it_is_acknowledged,
    a_receiver_that_is_gone_is_left_alone, a_replay_fences_the_attempt_under_way,
    messages_of_busy_owners_wait, secrets_are_rotated, states_make_messages,
};
pub use requests::{
    an_id_is_inserted_once, an_insert_reads_back, intake_makes_it_ready, lists_filter_and_page,
    publish_is_one_step, publish_refuses_a_taken_name, work_and_ends_are_listed,
};
pub use retention::{
    a_finished_request_is_removed, files_in_use_are_kept, usage_is_added_up, what_is_old_is_retired,
};
pub use sharing::{
    a_link_ends_with_its_request, a_result_has_one_link, nothing_but_a_result_is_shared,
};
pub use terms::{
    a_claim_passes_over_who_runs_enough, a_refused_submit_uses_no_key,
    a_repeated_submit_is_one_request, bytes_are_counted, deadlines_are_not_put_off_by_a_clock,
    deadlines_end_requests, limits_are_kept, limits_come_with_the_key,
    the_survey_agrees_with_the_rows, watchers_hear_of_their_request,
};

/// One `#[tokio::test]` per behaviour of [`Store`](crate::Store), on stores from `$factory`.
#[macro_export]
macro_rules! conformance_suite {
    ($factory:expr) => {
        $crate::conformance_suite! { $factory;
            a_claim_passes_over_backoff, a_set_back_request_keeps_its_place,
            an_id_is_inserted_once, an_insert_reads_back, attempts_run_out,
            cancel_in_every_state, changes_are_counted, every_lease_method_is_fenced,
            files_are_named_once, forced_cancel_before_publish, intake_makes_it_ready,
            keys_are_kept, keys_are_revoked, keys_are_rotated, leases_expire,
            lists_filter_and_page, losses_run_out, many_at_once, order_is_fair_between_owners,
            order_is_strict_between_priorities, positions_are_ranks,
            publish_before_forced_cancel, publish_is_one_step, publish_refuses_a_taken_name,
            the_next_wake_is_the_earliest, void_takes_all_leases,
            a_clock_that_is_set_back_strands_nothing, a_claim_passes_over_who_runs_enough, a_finished_request_is_removed,
            a_message_is_tried_until_it_is_acknowledged, a_receiver_that_is_gone_is_left_alone,
            a_refused_submit_uses_no_key, a_repeated_submit_is_one_request,
            a_clock_that_is_set_back_delays_no_message, deadlines_are_not_put_off_by_a_clock,
            a_replay_fences_the_attempt_under_way, bytes_are_counted,
            deadlines_end_requests, files_in_use_are_kept, limits_are_kept,
            limits_come_with_the_key, messages_of_busy_owners_wait, secrets_are_rotated,
            states_make_messages, the_survey_agrees_with_the_rows, usage_is_added_up,
            watchers_hear_of_their_request, what_is_old_is_retired, a_result_has_one_link, nothing_but_a_result_is_shared, a_link_ends_with_its_request, uses_of_keys_are_kept, work_and_ends_are_listed,
        }

        #[test]
        fn agrees_with_the_reference() {
            struct Made;
            impl $crate::conformance::Factory for Made {
                fn make() -> (Box<dyn $crate::Store>, Box<dyn std::any::Any>) {
                    let (store, guard) = $factory();
                    (Box::new(store), Box::new(guard))
                }
            }
            $crate::conformance::agrees_with_the_reference::<Made>();
        }
    };
    ($factory:expr; $($behaviour:ident),* $(,)?) => {
        $(
            #[tokio::test]
            async fn $behaviour() {
                let (store, _guard) = $factory();
                $crate::conformance::$behaviour(&store).await;
            }
        )*
    };
}
