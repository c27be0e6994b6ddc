"""Each promise of README and docs and the tests that hold it.

A promise is a sentence a user may rely on; each names tests as `file::test`. `test_requirements.py`
checks that every named test exists; a promise without a test cannot be entered.
"""

from __future__ import annotations

PROMISES: dict[str, tuple[str, ...]] = {
    "What README and docs say can be said, set and run is understood, exists and is taken": (
        "unit/test_docs.py::test_every_sentence_of_a_page_is_understood",
        "unit/test_docs.py::test_a_sentence_calls_the_tool_that_it_is_listed_under",
        "unit/test_docs.py::test_all_settings_are_listed_with_their_names_and_defaults",
        "unit/test_docs.py::test_every_command_line_is_one_that_the_program_takes",
        "unit/test_docs.py::test_every_link_leads_somewhere",
        "unit/intents/test_sentence_files.py::test_the_example_of_the_docs_works",
    ),
    "Widgets are drawn in cells and in the panel, and their clicks call your functions": (
        "browser/test_cell_widgets.py::test_the_last_line_of_a_cell_shows_a_widget_and_a_click_changes_it",
        "browser/test_cell_widgets.py::test_a_form_hands_what_was_typed_to_the_handler",
        "browser/test_cell_widgets.py::test_a_card_of_a_turn_keeps_its_widgets_alive",
        "browser/test_cell_widgets.py::test_a_cell_that_ends_in_an_object_of_chatkit_shows_it",
        "browser/test_cell_widgets.py::test_the_panel_shows_a_tools_widget_and_asks_before_a_click_deletes",
        "unit/widgets/test_widget_document.py::test_a_widget_file_is_filled_in",
        "kernel/test_widgets_of_a_kernel.py::test_a_widget_that_is_returned_is_shown",
    ),
    "Only clicks in widgets that user code has shown count, for the actions that stand in them": (
        "kernel/test_widgets_of_a_kernel.py::test_a_click_that_may_not_or_cannot_is_answered_with_why",
        "unit/widgets/test_live_widgets.py::test_an_action_that_does_not_stand_in_the_widget_is_none",
        "unit/widgets/test_live_widgets.py::test_an_action_in_a_payload_is_no_action",
        "unit/widgets/test_live_widgets.py::test_ids_cannot_be_guessed",
    ),
    "A function tool written for ChatKit's AgentContext becomes a tool unchanged": (
        "unit/agent/test_functiontools.py::test_a_model_calls_it_and_its_widget_is_the_tasks",
        "unit/agent/test_functiontools.py::test_a_person_calls_it_with_its_own_types_and_defaults",
    ),
    "Saved notebooks keep each widget as plain HTML": (
        "browser/test_cell_widgets.py::test_a_widget_is_still_drawn_when_its_kernel_is_gone",
        "unit/widgets/test_widget_frozen.py::test_what_stands_in_a_component_cannot_act",
        "notebooks/test_widget_gallery.py::test_each_component_is_in_the_gallery",
        "notebooks/test_widget_gallery.py::test_each_has_a_form_that_needs_no_kernel",
    ),
    "The start notebook's first minute works as it says": (
        "browser/test_first_minute.py::test_what_the_start_notebook_tells_to_do_works_in_its_order",
    ),
    "A spoken name of the notebook is heard as it is written there": (
        "unit/speech/test_names_in_speech.py::test_a_spoken_name_is_heard_as_it_is_written_in_the_notebook",
        "unit/speech/test_names_in_speech.py::test_a_name_that_sounds_like_what_was_heard_is_offered",
        "unit/test_phonemes.py::test_a_name_of_code_is_said_in_one_of_its_forms",
    ),
    "What is no speech gives no text": (
        "unit/speech/test_noises.py::test_no_noise_gives_a_text",
        "unit/speech/test_local.py::test_silence_and_noise_give_no_text",
    ),
    "Results are spoken in a short sentence, without code, ids or long numbers": (
        "browser/test_spoken_answers.py::"
        "test_a_command_is_answered_by_the_local_voice_and_repeated_and_silenced",
        "unit/speaking/test_renderer.py::test_every_tools_result_is_one_short_answer",
        "unit/speaking/test_renderer.py::test_no_tool_is_forgotten",
        "unit/speaking/test_renderer.py::test_a_failed_test_is_named_with_what_was_wrong",
        "unit/speaking/test_pronunciation.py::test_what_is_written_is_said_as_a_person_would",
    ),
    "Speaking is off until it is switched on, and nothing is loaded before": (
        "unit/test_answering.py::test_nothing_is_loaded_or_followed_before_a_page_wants_to_hear",
        "browser/test_spoken_answers.py::test_the_button_switches_speaking_on_and_off_and_is_remembered",
    ),
    "A screen reader loses nothing without spoken answers, and is not told twice with them": (
        "browser/test_spoken_answers.py::test_a_screen_reader_is_not_told_what_is_spoken_anyway",
    ),
    "Any key, a click or words stop a spoken answer at once": (
        "browser/test_spoken_answers.py::test_it_stops_long_before_its_end",
        "browser/test_spoken_answers.py::test_what_comes_after_it_was_stopped_is_not_heard",
        "unit/test_answering.py::test_stop_is_at_once_and_forgets_what_waits",
        "browser/test_spoken_answers.py::test_a_browser_that_forbids_sound_is_said_with_what_to_do",
    ),
    "Repeat, read the error, slower, faster and in full are understood": (
        "unit/test_answering.py::test_repeat_says_the_last_answer_again",
        "unit/test_answering.py::test_speaking_slower_and_faster_is_remembered_by_the_page",
        "unit/test_answering.py::test_speaking_is_switched_on_and_off_by_words",
        "unit/tools/test_last_failure.py::test_the_error_is_that_of_what_failed_last",
    ),
    "Only the page that was spoken to answers; the background only when it took long; cells not at all": (
        "unit/test_answering.py::test_a_result_is_spoken_with_its_sound_to_the_page_that_asked",
        "unit/test_answering.py::test_what_ends_in_the_background_is_announced_only_when_it_took_long",
        "unit/test_answering.py::test_a_cell_is_not_answered_aloud_unless_it_took_long",
    ),
    "The browser's voice, the kernel's, or that of a server": (
        "unit/test_answering.py::test_the_browsers_voice_is_given_the_words",
        "unit/test_answering.py::"
        "test_where_the_local_voice_is_missing_the_browsers_speaks_and_that_is_said_once",
        "unit/speaking/test_voices.py::test_the_local_voice_speaks_without_silence_around_it",
        "unit/speaking/test_voices.py::test_a_server_speaks_and_its_sound_is_passed_on_as_it_comes",
    ),
    "Another engine may turn speech into text, chosen in the panel without a restart": (
        "browser/test_engines.py::test_the_engine_is_chosen_in_the_panel_and_it_says_where_the_sound_goes",
        "unit/test_listening.py::test_another_engine_is_chosen_without_a_restart",
    ),
    "Where an engine fails, the kernel's machine hears what was said, and you are told": (
        "browser/test_engines.py::test_a_server_hears_and_where_it_fails_this_machine_does_and_says_so",
        "unit/speech/test_chosen.py::test_the_local_engine_hears_all_of_what_another_one_lost",
        "unit/speech/test_openai.py::test_what_goes_wrong_is_said_in_words",
        "unit/agent/test_realtime.py::test_a_refused_connection_is_said_in_words",
    ),
    "If nothing could hear it, the turn has a button to try again": (
        "unit/test_listening.py::test_what_no_text_came_of_is_kept_and_heard_again",
        "browser/test_engines.py::test_what_no_text_came_of_can_be_recognised_again",
    ),
    "Where sound leaves the machine, that is said": (
        "unit/speech/test_chosen.py::test_before_sound_leaves_the_machine_it_is_said_once",
        "browser/test_engines.py::test_the_browser_recognises_and_says_whether_sound_leaves_the_device",
    ),
    "A Realtime model is not asked what the grammar understands; the rest it does through the same tools": (
        "unit/test_listening.py::test_a_realtime_model_is_not_asked_what_the_grammar_understands",
        "unit/test_listening.py::test_a_realtime_model_answers_the_rest_through_the_same_toolbox",
        "unit/agent/test_realtime.py::test_after_text_of_strangers_the_next_turn_knows",
    ),
    "Your key for OpenAI is never sent to another speech server, and no log holds a key, sound or words": (
        "unit/test_hearing.py::test_a_key_goes_only_to_the_server_it_is_for",
        "unit/speech/test_openai.py::test_neither_key_nor_sound_nor_text_is_logged",
        "unit/agent/test_realtime.py::test_neither_key_nor_sound_nor_words_are_logged",
    ),
    "A language that the weights do not know is said, never heard as English": (
        "unit/speech/test_named.py::test_a_language_that_the_model_does_not_know_is_said_never_heard_as_english",
    ),
    "A speech model is named in the settings; a package may bring another engine": (
        "unit/speech/test_named.py::test_a_named_model_is_taken_from_the_cache_and_hears",
        "unit/test_hearing.py::test_an_engine_of_an_installed_package_hears",
    ),
    "Hold the button, speak, and the words become a transcript, a route, a task and results": (
        "browser/test_speak_and_act.py::test_a_spoken_command_becomes_a_transcript_a_route_a_task_and_test_results",
    ),
    "You can cancel a task, even while another cell is running": (
        "browser/test_speak_and_act.py::test_cancel_ends_a_shell_task_while_a_cell_is_running",
    ),
    "What is not understood is not done": (
        "notebooks/test_execute.py::test_a_command_that_is_not_understood_makes_the_run_fail",
        "unit/intents/test_sentences.py::test_talk_is_never_acted_on",
    ),
    "A session in German answers, asks and explains in German; English stays as it is": (
        "unit/test_language.py::test_a_command_in_german_is_answered_in_german",
        "unit/test_language.py::test_the_same_session_answers_in_english_after_a_change_of_language",
        "unit/test_language.py::test_an_unknown_command_gets_a_german_hint",
        "unit/test_language.py::test_an_approval_is_asked_for_and_answered_in_german",
        "unit/test_language.py::test_what_was_said_stays_as_it_was_said",
        "unit/test_language.py::test_every_sentence_of_the_code_has_an_entry",
        "unit/test_language.py::test_what_a_person_is_told_to_say_is_understood",
        "notebooks/test_german.py::test_the_tour_can_be_typed_in_german",
    ),
    "The panel is in the session's language, numbers and dates included": (
        "browser/test_panel_in_german.py::test_every_scene_is_german_and_nothing_is_cut_off",
        "browser/test_panel_in_german.py::test_the_panel_says_which_language_it_is_in",
        "browser/test_lab_in_german.py::test_the_side_bar_and_a_command_are_german",
        "browser/test_lab_in_german.py::test_the_palette_and_the_status_bar_are_german",
    ),
    "Commands may be spoken in German; talk in German does nothing": (
        "kernel/test_german_speech.py::test_german_commands_are_understood_from_their_sound",
        "kernel/test_german_speech.py::test_the_tour_can_be_spoken_in_german",
    ),
    "Words in another language than the session's are told so, and do nothing": (
        "unit/test_wrong_language.py::test_german_in_an_english_session_is_told_so_and_how_to_change_it",
        "unit/test_wrong_language.py::test_english_in_a_german_session_is_told_so_in_german",
        "unit/intents/test_tongue.py::test_words_of_the_expected_language_are_not_taken_for_another",
    ),
    "Commands may be German, with the same tools, the same caution and approvals as strict": (
        "unit/intents/test_german.py::test_every_german_sentence_of_the_data_makes_the_right_calls",
        "unit/intents/test_german.py::test_german_talk_is_never_acted_on",
        "unit/intents/test_german.py::test_nothing_else_approves_in_german",
        "unit/intents/test_german.py::test_german_says_all_that_english_says",
        "notebooks/test_german.py::test_the_tour_can_be_typed_in_german",
    ),
    "A model answers only what the grammar does not understand, and asks before it acts": (
        "unit/test_toolbox.py::test_a_model_is_asked_for_whatever_changes_something",
        "kernel/test_model_route.py::test_what_the_grammar_understands_never_reaches_the_model",
    ),
    "A model is chosen by setting, words, magic or panel, and no other is asked in its place": (
        "kernel/test_model_route.py::"
        "test_a_model_can_be_chosen_and_a_server_that_is_away_never_means_the_cloud",
        "kernel/test_model_route.py::test_the_model_can_be_asked_what_the_grammar_understands",
        "browser/test_model_by_words.py::test_another_model_is_chosen_in_the_panel",
        "unit/agent/test_servers.py::test_a_key_goes_to_no_other_server",
    ),
    "What is sent to a model is shown before it is sent, and values only where they are asked for": (
        "kernel/test_model_route.py::test_what_is_sent_is_shown_once_before_it_is_sent",
        "unit/agent/test_shown_to_model.py::test_what_leaves_this_machine_is_sent_only_after_a_yes",
        "unit/agent/test_shown_to_model.py::test_values_are_told_after_one_yes_in_a_session",
        "unit/agent/test_shown_to_model.py::test_references_bring_a_value_a_cell_and_a_file_into_the_question",
    ),
    "What a model would change is seen as a diff, accepted or rejected cell by cell, and undone at once": (
        "browser/test_model_by_words.py::test_changes_are_seen_as_diffs_accepted_rejected_and_undone",
        "unit/agent/test_proposals.py::"
        "test_every_change_is_shown_as_a_diff_and_accepted_or_rejected_by_itself",
        "unit/agent/test_proposals.py::test_undo_takes_the_whole_turn_back",
        "unit/agent/test_proposals.py::test_attempts_end_with_the_budget_and_the_model_must_say_why",
    ),
    "A card that waits survives a reload, and what it asks about runs once or not at all": (
        "browser/test_model_by_words.py::test_a_card_survives_a_reload_and_a_double_click_runs_it_once",
        "browser/test_model_by_words.py::test_two_tabs_that_both_approve_run_it_once",
    ),
    "A card that waits when its kernel ends is asked for again by the next, for a day, and answered once": (
        "kernel/test_cards_after_restart.py::"
        "test_approved_after_a_restart_it_runs_once_and_the_model_goes_on_with_its_result",
        "kernel/test_cards_after_restart.py::test_a_killed_kernel_leaves_the_card_too_and_a_no_is_told_to_the_model",
        "kernel/test_cards_after_restart.py::test_of_two_kernels_on_one_store_only_one_asks_again",
        "kernel/test_cards_after_restart.py::test_a_command_asks_again_and_its_plan_goes_on",
        "unit/store/test_left_cards.py::test_of_many_sessions_that_ask_at_once_one_gets_it",
        "unit/store/test_left_cards.py::test_a_card_that_is_older_than_a_day_is_closed_instead",
        "unit/agent/test_going_on.py::test_the_call_is_made_and_the_model_goes_on_with_its_result",
        "browser/test_model_by_words.py::"
        "test_a_card_that_waits_while_the_kernel_restarts_is_shown_again_and_runs_once",
        "browser/test_model_by_words.py::"
        "test_changes_that_wait_while_the_kernel_restarts_are_shown_again_as_diffs",
    ),
    "Whatever strangers wrote, what acts on it waits for a fresh yes, and ordinary turns ask no more": (
        "unit/agent/test_injection.py::test_what_strangers_want_is_held_for_a_fresh_approval",
        "unit/agent/test_injection.py::test_an_ordinary_turn_asks_no_more_than_it_did",
        "unit/agent/test_injection.py::test_strangers_text_of_an_earlier_turn_still_counts",
    ),
    "When a model fails, what was said stays, and the turn says how to go on": (
        "browser/test_model_by_words.py::test_faults_end_in_words_with_what_was_said_before_and_a_way_on",
        "browser/test_model_by_words.py::test_what_a_model_gets_wrong_is_told_to_it_and_the_turn_goes_on",
        "browser/test_model_by_words.py::test_a_conversation_that_is_too_long_for_the_model_ends_in_words_and_a_way_on",
        "unit/agent/test_limits.py::test_what_was_said_before_the_stream_dropped_is_kept_and_known",
        "unit/agent/test_limits.py::test_a_conversation_that_does_not_fit_is_compacted_and_asked_again",
        "unit/agent/test_limits.py::test_a_call_made_again_and_again_is_refused_and_then_ended",
        "unit/agent/test_limits.py::test_a_budget_stops_a_turn_and_the_next_one",
    ),
    "A file of the file browser or the desktop goes with the question that names it": (
        "browser/test_model_by_words.py::test_a_file_is_dragged_from_the_file_browser_into_the_question",
        "browser/test_model_by_words.py::test_a_file_that_is_dropped_goes_with_the_question_that_names_it",
    ),
    "What a model took, and when, is told on request and sent nowhere": (
        "browser/test_model_by_words.py::test_what_an_answer_cost_is_seen_and_a_budget_stops_in_words",
        "unit/agent/test_realtime.py::test_what_an_answer_takes_is_told_and_counted_in_the_conversation",
        "kernel/test_model_route.py::test_what_happened_and_what_it_took_is_told_on_request",
        "unit/agent/test_brain.py::test_nothing_is_sent_but_the_question",
    ),
    "Shell commands are refused until you allow them, and the refusal says how": (
        "unit/test_toolbox.py::test_with_shell_off_it_is_refused_with_the_way_to_allow_it",
    ),
    "What installs, restarts or deletes beyond undo shows a card first": (
        "unit/test_toolbox.py::test_what_cannot_be_taken_back_always_asks",
        "browser/test_speak_and_act.py::test_an_install_asks_first_and_a_click_on_deny_is_a_no",
    ),
    "A spoken yes counts only after the card was on the screen; with two cards you say the number": (
        "unit/test_toolbox.py::test_a_yes_from_before_the_card_was_shown_does_not_count",
        "unit/test_toolbox.py::test_with_two_cards_the_number_must_be_said",
    ),
    "“Okay, wait, don't run that” is a no": (
        "browser/test_speak_and_act.py::test_a_typed_no_counts_and_a_half_yes_does_not",
    ),
    "Where nobody can be asked, the call is refused at once": (
        "unit/test_toolbox.py::test_where_nobody_can_be_asked_the_call_is_refused_at_once",
        "notebooks/test_execute.py::test_what_needs_a_persons_approval_is_refused_at_once",
    ),
    "A turn that fails makes `jupyter execute` fail": (
        "notebooks/test_execute.py::test_a_failing_command_makes_the_run_fail",
    ),
    "When a turn ends, its card is frozen to plain HTML": (
        "notebooks/test_execute.py::test_a_passing_command_leaves_its_frozen_card_in_the_saved_file",
        "browser/test_speak_and_act.py::test_what_a_cell_said_is_frozen_when_its_turn_ends",
    ),
    "`%%voice` stops at the first command that fails, or goes on with --keep-going": (
        "notebooks/test_execute.py::test_a_cell_of_commands_stops_at_the_first_that_fails",
    ),
    "A turn comes back as a value": ("notebooks/test_execute.py::test_a_turn_comes_back_as_a_value",),
    "`make demo` runs the tour from its recordings": (
        "notebooks/test_execute.py::test_the_tour_runs_from_its_recordings_and_leaves_a_page",
    ),
    "Settings: environment over .env over your file over the system's, which can lock keys": (
        "unit/test_settings.py::test_call_beats_environment_beats_dotenv_beats_user_beats_system",
        "unit/test_settings.py::test_a_key_locked_by_the_system_file_cannot_be_changed_by_anyone_else",
    ),
    "Commands do not inherit your API keys; logs hold no secret": (
        "unit/task/test_process.py::test_keys_are_not_in_the_environment_of_a_command",
        "unit/task/test_logs.py::test_a_log_holds_no_secret",
    ),
    "Whatever a command started is gone when it ends, is cancelled, or the kernel is killed": (
        "unit/task/test_process.py::test_whatever_escapes_its_session_is_ended_with_the_command",
        "unit/task/test_process.py::test_cancelling_ends_the_whole_tree_quickly",
        "kernel/test_tools.py::test_nothing_of_a_command_outlives_a_kernel_that_is_killed",
    ),
    "In JupyterLab and Notebook 7 every cell action can be said": (
        "browser/test_cells_by_voice.py::test_what_is_said_happens_and_undo_restores_the_notebook_exactly",
        "browser/test_cells_by_voice.py::test_five_tools_by_speech_and_undo_by_speech",
    ),
    "With jupyter-collaboration what one person says is seen by the others, and undone exactly": (
        "browser/test_together.py::test_what_is_said_in_one_tab_is_seen_in_the_other_and_undone_exactly",
        "browser/test_together.py::test_what_somebody_else_types_meanwhile_is_kept",
    ),
    "Dictated words go where the cursor is": (
        "browser/test_cells_by_voice.py::test_dictated_words_go_where_the_persons_cursor_is",
    ),
    "Code that ends the kernel or clears its memory asks first": (
        "browser/test_cells_by_voice.py::test_code_that_ends_the_kernel_or_its_memory_asks_first",
        "unit/tools/test_sourcecode.py::test_what_ends_the_kernel_or_the_session_asks_first",
    ),
    "A page that connects late is shown what happened before": (
        "browser/test_speak_and_act.py::test_a_page_that_connects_late_is_shown_what_happened_before",
    ),
    "Loading the extension imports nothing heavy and touches no network": (
        "kernel/test_loading.py::test_loading_imports_nothing_but_our_own_small_modules",
        "kernel/test_loading.py::test_loading_and_help_open_no_connection",
    ),
    "A notebook is run from a script, and is written whole whatever happens": (
        "notebooks/test_run.py::test_all_cells_are_run_when_nothing_is_said",
        "notebooks/test_run.py::test_commands_are_done_in_the_order_in_which_they_are_given",
        "notebooks/test_run.py::test_a_kernel_that_dies",
        "notebooks/test_run.py::test_a_run_that_is_stopped_from_outside_keeps_what_it_has",
        "unit/headless/test_document.py::test_a_save_that_fails_leaves_the_file_and_nothing_else",
    ),
    "The exit code of a scripted run says what came of it": (
        "notebooks/test_run.py::test_a_cell_that_raises",
        "notebooks/test_run.py::test_a_command_that_is_not_understood",
        "notebooks/test_run.py::test_what_policy_or_nobody_allows_is_refused",
        "notebooks/test_run.py::test_a_limit_in_time",
    ),
    "The report of a scripted run is JUnit XML or JSON": (
        "notebooks/test_run.py::test_the_report_is_junit_where_its_name_says_so",
    ),
    "`%voice run cell 3` streams into that cell while yours waits": (
        "kernel/test_notebook_tools.py::test_a_cell_runs_another_one_whose_output_streams_while_it_waits",
        "kernel/test_notebook_tools.py::test_fifty_times_in_a_row",
    ),
    "Undo takes a voice action back exactly": (
        "kernel/test_notebook_tools.py::test_a_change_is_made_undone_exactly_and_made_again",
        "browser/test_cells_by_voice.py::test_what_is_said_happens_and_undo_restores_the_notebook_exactly",
        "browser/test_sidebar.py::test_undo_works_after_a_reload",
    ),
    "What was done is listed, searched and shown, by words and in a terminal, while kernels are at work": (
        "kernel/test_history.py::test_what_an_earlier_kernel_did_is_shown_and_searched_by_words",
        "unit/cli/test_history_command.py::test_it_finds_what_is_asked_for",
        "unit/cli/test_history_command.py::test_it_is_read_while_another_process_writes",
        "browser/test_history_by_voice.py::test_the_history_is_a_table_and_a_replay_shows_its_plan_first",
    ),
    "A session is exported as a script, as a notebook, or as a report with pictures": (
        "unit/cli/test_history_command.py::test_a_session_as_a_script_has_its_steps_and_says_what_it_leaves_out",
        "notebooks/test_replayed_sessions.py::test_an_exported_notebook_runs",
        "unit/cli/test_history_command.py::test_a_session_as_a_report_has_its_pictures_beside_it",
        "unit/export/test_exported_report.py::test_text_of_others_is_never_markup",
    ),
    "A replay shows first what it would do, and on a fresh copy of the project comes out the same": (
        "notebooks/test_replayed_sessions.py::test_showing_it_does_nothing",
        "notebooks/test_replayed_sessions.py::test_on_a_fresh_copy_every_outcome_is_the_same",
        "kernel/test_history.py::test_a_replay_shows_what_it_would_do_and_does_just_that_once_approved",
    ),
    "A changed outcome is told at its step, and ends the replay unless told otherwise": (
        "notebooks/test_replayed_sessions.py::test_a_changed_outcome_is_told_at_its_step_and_ends_it",
        "notebooks/test_replayed_sessions.py::test_it_goes_on_when_told_to",
        "kernel/test_history.py::test_a_changed_outcome_is_told_at_its_step",
    ),
    "What asked for approval asks again when it is replayed": (
        "notebooks/test_replayed_sessions.py::test_an_exported_approval_is_no_approval",
        "notebooks/test_replayed_sessions.py::test_a_person_at_a_terminal_is_asked",
        "kernel/test_history.py::test_every_step_that_asks_asks_again",
    ),
    "A session that worked on cells is done again in a notebook, and compared": (
        "notebooks/test_replayed_sessions.py::test_a_session_with_cells_is_done_again_in_a_notebook_and_compared",
    ),
    "`await ask` does in a cell what you would say": (
        "kernel/test_api.py::test_an_ask_in_a_cell_is_a_turn_like_any_other",
    ),
    "Your own function becomes something to say, with progress and cancel": (
        "browser/test_own_tools.py::test_a_spoken_sentence_runs_the_function_with_its_number_and_shows_how_far_it_is",
        "browser/test_own_tools.py::test_cancel_ends_the_function",
        "browser/test_own_tools.py::test_a_tool_that_asks_shows_its_reason_and_waits_for_a_yes",
    ),
    "Any part of a long log opens and is searched": (
        "kernel/test_reading_logs.py::test_any_part_of_a_long_log_can_be_read_and_searched",
    ),
    "Commands and tests run on a Dask cluster, and end with the kernel": (
        "kernel/test_dask_kernel.py::test_spoken_tests_and_commands_run_on_the_cluster_and_end_with_the_kernel",
        "unit/task/test_dask.py::test_a_worker_that_dies_interrupts_its_tests_and_keeps_what_they_had",
        "unit/task/test_dask.py::test_a_worker_that_dies_has_its_tests_run_again_where_that_is_set",
    ),
    "Research answers with the pages' own sentences, each linked to its place, and reaches nothing private": (
        "unit/tools/test_research.py::test_every_citation_is_found_on_its_page",
        "unit/web/test_digest.py::test_a_link_leads_to_the_passage",
        "unit/web/test_reading.py::test_a_redirect_inwards_is_not_followed",
        "unit/web/test_reading.py::test_this_machine_and_its_network_are_out_of_reach",
    ),
    "The browser finds what is visible, asks back when several things fit, and guesses nothing": (
        "unit/browser/test_targets.py::test_words_find_what_is_meant",
        "unit/browser/test_targets.py::test_what_is_there_several_times_is_asked_back",
        "unit/browser/test_targets.py::test_what_is_not_there_is_not_clicked",
    ),
    "Numbers stand beside everything that can be clicked, and a number clicks it": (
        "unit/browser/test_pages.py::test_numbers_stand_beside_what_can_be_clicked_with_or_without_a_name",
        "browser/test_web_browser.py::test_a_number_clicks_what_has_no_name_and_the_picture_shows_it",
    ),
    "Downloads replace no file, and only files of the working folder can be uploaded": (
        "unit/browser/test_pages.py::test_downloads_have_clean_names_and_never_replace_a_file",
        "unit/browser/test_pages.py::test_files_go_up_from_the_working_folder_only",
    ),
    "What was done in the browser is exported as a Playwright script that runs": (
        "unit/browser/test_pages.py::test_what_was_done_is_exported_as_a_script_that_runs",
    ),
    "Nothing of the browser outlives the kernel": (
        "kernel/test_browser_of_a_kernel.py::test_nothing_of_the_browser_is_left",
        "browser/test_web_browser.py::test_restart_kernel_leaves_nothing_of_the_browser",
    ),
    "While a model drives, a page leads to no new host before a person has agreed": (
        "unit/browser/test_pages.py::test_a_redirect_to_a_new_host_is_held_before_it_is_asked",
        "unit/browser/test_pages.py::test_what_a_model_clicks_does_not_lead_to_a_new_host",
    ),
    "Where no page is open, “press the button” is talk": (
        "unit/intents/test_needs.py::test_talk_of_buttons_and_tools_is_no_command_where_there_are_none",
    ),
    "Tests are chosen by name, marker and change, watched, opened at their line, and saved": (
        "unit/tools/test_testing.py::test_one_test_runs_by_its_name_and_not_those_that_begin_so",
        "unit/tools/test_testing.py::test_changed_runs_what_imports_a_change_at_any_distance",
        "unit/tools/test_testing.py::test_watched_tests_run_again_at_each_change_until_cancelled",
        "kernel/test_tests_by_words.py::test_the_report_is_saved_under_the_name_that_is_spoken",
        "browser/test_tests_by_voice.py::test_a_failing_test_is_read_in_the_panel_and_opened_at_its_line",
        "browser/test_tests_by_voice.py::test_notebook_7_opens_the_failing_test_in_a_tab",
    ),
    "A suite that crashes, hangs or prints without end ends with what it had done, and why": (
        "unit/tools/test_testing.py::test_a_test_that_hangs_is_named_when_the_time_is_over",
        "unit/tools/test_testing.py::test_a_killed_pytest_is_told_with_what_had_passed",
        "unit/tools/test_testing.py::test_a_hundred_megabytes_of_output_change_no_count",
    ),
    "A search becomes passages with their places, and the citations a cell with a bibliography": (
        "browser/test_research_by_voice.py::test_the_web_is_searched_and_its_passages_become_a_cell",
    ),
    "MCP servers are found in a registry, installed after a card, and used by voice": (
        "kernel/test_mcp.py::test_the_time_server_is_installed_and_used_by_voice",
        "kernel/test_mcp.py::test_the_everything_server_is_installed_and_used_by_voice",
        "kernel/test_mcp.py::test_nothing_is_installed_unless_a_person_agrees",
        "unit/mcp/test_catalog.py::test_entries_as_their_publishers_wrote_them_are_understood",
    ),
    "The dashboard shows MCP servers, their tools, logs and secrets, and the registry": (
        "browser/test_mcp_dashboard.py::test_a_server_is_found_installed_used_looked_after_and_removed",
        "browser/test_mcp_dashboard.py::test_servers_of_another_client_are_taken_over",
        "browser/test_mcp_dashboard.py::test_every_state_of_a_server_is_shown_in_the_widget_too",
        "kernel/test_mcp.py::test_a_cell_lists_the_servers_and_a_form_is_declined_where_nobody_can_fill_it_in",
        "unit/ui/test_server_desk.py::test_whoever_watches_is_told_at_once_and_of_every_change",
    ),
    "One MCP server that hangs, floods or dies holds nobody up, and nothing of it outlives the kernel": (
        "unit/mcp/test_running_servers.py::test_a_killed_server_is_started_again",
        "unit/mcp/test_running_servers.py::test_a_flood_of_garbage_is_no_server",
        "unit/mcp/test_supervisor.py::test_a_dead_server_holds_none_of_the_others_up",
        "kernel/test_mcp.py::test_a_kernel_leaves_no_server_however_it_ends",
        "kernel/test_mcp.py::test_what_npx_and_uvx_start_is_gone_with_a_killed_kernel",
    ),
    "Remote MCP servers are reached with a header or after a sign-in": (
        "unit/mcp/test_remote_servers.py::test_a_header_with_a_secret_lets_in",
        "unit/mcp/test_remote_servers.py::test_a_person_signs_in_once_and_the_tokens_stay_among_the_secrets",
        "kernel/test_mcp_conformance.py::test_a_scenario_of_the_conformance_suite_passes",
    ),
    "What an MCP server asks is a form for a person, or a no": (
        "unit/mcp/test_people.py::test_a_form_that_a_person_fills_in_goes_to_the_server",
        "unit/mcp/test_people.py::test_without_a_fitting_answer_the_server_is_told_so",
        "unit/mcp/test_people.py::test_a_server_is_told_the_folder_and_gets_no_model",
    ),
    "Keys in configurations of other clients become secrets": (
        "unit/mcp/test_server_files.py::test_keys_in_arguments_and_addresses_become_secrets_too",
        "unit/mcp/test_server_files.py::test_vs_codes_comments_and_last_commas_are_read_over",
        "unit/ui/test_server_desk.py::test_a_secret_is_kept_and_never_told",
    ),
    "Hands-free, of commands, pauses and chatter exactly the commands are acted on": (
        "browser/test_handsfree.py::"
        "test_of_commands_and_chatter_in_one_recording_exactly_the_commands_are_acted_on",
        "unit/test_handsfree.py::test_chatter_is_shown_for_a_moment_and_becomes_no_turn",
        "unit/test_heeding.py::test_words_are_heeded_as_far_as_they_are_meant_for_us",
    ),
    "A command that breaks off is waited for; over, a key and stop listening end it": (
        "unit/test_handsfree.py::test_a_pause_in_the_middle_of_a_command_does_not_cut_it",
        "unit/test_handsfree.py::test_over_ends_a_command_before_the_silence_does",
        "unit/test_handsfree.py::test_a_key_ends_an_utterance_at_once",
        "unit/test_handsfree.py::test_stop_listening_closes_the_microphone_of_the_page",
        "unit/speech/test_endpointing.py::test_how_long_a_silence_must_be_depends_on_what_was_said",
    ),
    "With a wake phrase nothing is acted on before it": (
        "browser/test_handsfree.py::test_with_a_wake_phrase_the_same_recording_is_not_acted_on",
        "unit/test_handsfree.py::"
        "test_the_wake_phrase_wakes_for_a_command_in_the_same_breath_and_for_one_after_it",
        "unit/test_handsfree.py::test_a_phrase_with_a_model_of_its_own_wakes_without_the_recogniser",
    ),
    "What was not heard well is asked back and not done": (
        "unit/test_questions.py::test_a_spoken_yes_from_before_the_question_does_not_count",
        "unit/test_questions.py::test_nobodys_answer_is_a_no",
        "browser/test_listening_choices.py::test_a_question_is_answered_by_a_click",
    ),
    "Speaking up stops the answer, and the assistant's own words are not acted on": (
        "unit/test_handsfree.py::test_who_speaks_up_stops_the_answer",
        "browser/test_barge_in.py::test_who_speaks_up_ends_the_answer",
        "browser/test_barge_in.py::test_an_answer_goes_on_after_a_cough_or_a_click",
        "unit/test_interruption.py::test_what_was_no_speech_lets_the_answer_go_on_within_half_a_second",
        "unit/test_handsfree.py::test_our_own_words_are_not_acted_on",
    ),
    "Words appear while they are spoken, and settled ones stay": (
        "unit/test_handsfree.py::test_words_appear_while_they_are_spoken_and_settled_ones_stay",
        "unit/speech/test_settling.py::test_what_is_settled_is_never_taken_back",
    ),
    "The microphone's state is always visible and audible": (
        "browser/test_listening_choices.py::test_what_is_waited_for_and_what_is_heard_is_always_visible",
        "browser/test_listening_choices.py::"
        "test_tones_tell_that_the_microphone_opens_and_closes_and_can_be_switched_off",
    ),
    "Sound is written nowhere unless the person wants it, and the panel says where": (
        "unit/test_handsfree.py::test_nothing_is_written_unless_the_person_wants_it",
        "unit/speech/test_keeping.py::test_a_recording_is_a_wav_file_for_its_owner_alone",
        "browser/test_listening_choices.py::test_where_recordings_are_kept_is_never_hidden",
    ),
    "Any ChatKit front end works over HTTP: messages, cards, actions, files, dictation, threads": (
        "kernel/test_chatkit_server.py::"
        "test_a_message_becomes_a_task_a_card_and_an_answer_and_all_of_it_is_in_the_thread",
        "kernel/test_chatkit_server.py::"
        "test_items_are_paged_in_both_orders_and_threads_are_listed_renamed_and_deleted",
        "kernel/test_chatkit_server.py::test_approving_goes_on_in_the_stream_of_the_click",
        "kernel/test_chatkit_server.py::test_a_widget_of_a_tool_is_shown_and_its_button_changes_it",
        "kernel/test_chatkit_server.py::"
        "test_a_tool_asks_the_page_to_do_something_and_is_told_what_came_of_it",
        "kernel/test_client_tools.py::test_the_tool_that_asked_goes_on_and_asks_again",
        "kernel/test_client_tools.py::test_the_models_turn_goes_on_with_what_the_page_has_done",
        "kernel/test_client_tools.py::test_a_client_chooses_only_models_that_the_settings_let_be_chosen",
        "kernel/test_chatkit_server.py::test_a_picture_is_announced_put_at_its_address_and_seen",
        "kernel/test_chatkit_server.py::test_a_recording_becomes_text_and_nothing_is_done",
        "unit/server/test_turn_stream.py::"
        "test_a_form_is_structured_input_and_its_answers_have_the_types_of_its_fields",
        "unit/server/test_turn_stream.py::test_passages_of_the_web_are_quoted_with_their_sources",
    ),
    "A ChatKit client that vanishes loses nothing; a hundred at once hear nothing of each other": (
        "kernel/test_chatkit_server.py::test_a_client_that_vanishes_loses_nothing",
        "kernel/test_chatkit_server.py::test_closing_the_stream_cancels_and_says_so_in_the_thread",
        "kernel/test_chatkit_server.py::test_a_page_that_is_loaded_again_does_not_cancel",
        "kernel/test_chatkit_server.py::"
        "test_a_hundred_clients_at_once_lose_nothing_and_hear_nothing_of_each_other",
    ),
    "The server refuses who has no secret, other hosts and origins, and what is too large or too often": (
        "kernel/test_chatkit_server.py::test_nothing_is_answered_without_a_good_secret",
        "kernel/test_chatkit_server.py::"
        "test_pages_of_other_hosts_and_origins_are_refused_and_allowed_ones_are_not",
        "kernel/test_chatkit_server.py::test_oversize_and_malformed_requests_are_refused_in_words",
        "kernel/test_hostile_clients.py::test_what_is_no_request_is_refused_in_words",
        "kernel/test_hostile_clients.py::test_tricks_with_paths_lead_nowhere",
        "unit/server/test_expired_secrets.py::test_a_secret_ends_and_cannot_renew_itself",
        "kernel/test_chatkit_server.py::test_who_asks_too_often_is_told_to_wait",
        "kernel/test_chatkit_server.py::test_one_users_threads_are_nobody_elses",
        "kernel/test_chatkit_server.py::test_every_kernel_ends_with_a_server_that_is_killed",
    ),
    "The panel works in a plain page, over HTTP alone": (
        "browser/test_plain_page.py::"
        "test_a_spoken_command_is_done_an_approval_is_answered_and_a_widget_is_clicked",
        "browser/test_plain_page.py::test_a_page_that_is_loaded_again_goes_on_with_the_same_kernel",
        "browser/test_plain_page.py::test_without_the_token_the_page_says_what_it_needs",
    ),
    "MCP servers marked so start with every session": (
        "kernel/test_mcp.py::test_servers_marked_so_start_with_the_session",
    ),
    "Every ChatKit component is drawn with all its fields, in light and dark": (
        "browser/test_widgets.py::test_every_component_is_drawn_in_a_sheet",
        "browser/test_widgets.py::test_a_narrow_panel_holds_every_component",
        "browser/test_widgets.py::test_a_root_may_ask_for_a_theme_that_is_not_the_pages",
        "browser/test_widgets.py::test_text_streams_in",
    ),
    "Widgets are used by keyboard and by screen reader": (
        "browser/test_widgets.py::test_a_screen_reader_finds_nothing_amiss",
        "browser/test_widgets.py::test_a_form_is_filled_in_and_sent_by_keyboard_alone",
        "browser/test_widgets.py::test_an_item_of_a_list_is_one_button_named_by_its_words",
        "browser/test_widgets.py::test_the_numbers_of_a_chart_are_told_by_pointer_by_keyboard_and_as_a_table",
        "browser/test_widgets.py::test_a_moved_field_keeps_the_focus_and_what_was_typed",
        "browser/test_widgets.py::test_while_an_action_runs_nothing_can_be_started_twice_and_the_focus_stays",
        "browser/test_widgets.py::test_what_an_action_failed_with_is_told",
    ),
    "A widget is data: nothing in it runs, fetches or draws outside of itself": (
        "browser/test_widgets.py::test_an_attack_in_any_field_does_nothing",
        "browser/test_widgets.py::test_a_widget_draws_nothing_outside_of_itself",
    ),
    "The samples run offline, by the sentences of their tools": (
        "notebooks/test_samples.py::test_no_sentence_of_a_sample_surprises",
        "notebooks/test_samples.py::test_the_customers_card_keeps_in_step_with_what_is_said",
        "notebooks/test_samples.py::test_what_an_airline_refuses_is_told_and_what_asks_is_not_done",
        "notebooks/test_samples.py::test_a_question_is_answered_with_cited_passages",
        "notebooks/test_samples.py::test_a_fact_is_saved_and_forgotten_and_the_weather_drawn",
        "notebooks/test_samples.py::test_variants_are_made_approved_and_exported",
        "notebooks/test_samples.py::test_the_starter_rolls_shows_its_error_and_gives_a_page_a_session",
    ),
    "Each sample is spoken to, and its widgets answer": (
        "browser/test_samples_by_voice.py::test_two_bags_are_added_by_voice_and_a_third_by_the_cards_button",
        "browser/test_samples_by_voice.py::"
        "test_documents_are_asked_by_voice_and_a_click_shows_the_one_that_answers",
        "browser/test_samples_by_voice.py::"
        "test_the_weather_is_drawn_by_voice_and_a_fact_is_forgotten_by_a_click",
        "browser/test_samples_by_voice.py::test_variants_are_made_by_voice_and_approved_in_the_gallery",
        "browser/test_samples_by_voice.py::"
        "test_the_theme_is_changed_by_voice_and_an_error_lies_over_the_card_until_it_is_dismissed",
    ),
    "The right passage is among the first three for 85 of 100 questions": (
        "unit/samples/test_library.py::test_the_right_passage_is_in_the_first_three_for_85_of_100_questions",
        "notebooks/test_samples.py::test_the_notebook_tells_how_often_the_right_passage_is_found",
    ),
}
