// A kernel with a store, for the panel alone: answers what is asked of conversations, the history and logs.
// `window.kept` holds the data; lines of a log are made as they are asked for, however many there are.
message => {
  const { threads, tasks } = window.kept;
  const text = line => {
    const number = String(line + 1).padStart(7, '0');
    if (line % 1000 === 999) return `\u001b[31mERROR\u001b[0m batch ${number}: shard "eu-west" timed out, trying again`;
    if (line % 50 === 7) return `\u001b[33mwarning\u001b[0m batch ${number}: ` + 'slow shard, '.repeat(18).trim();
    return `\u001b[2m2026-11-22 14:02:11\u001b[0m batch ${number} \u001b[32mok\u001b[0m loss=${(1 / (line + 2)).toFixed(6)}`;
  };
  const total = () => window.kept.lines;
  switch (message.type) {
    case 'list_threads':
      return window.deliver({ type: 'threads', id: message.id, problem: null, more: false,
        threads: threads.filter(each => each.title.toLowerCase().includes(message.query.toLowerCase())) });
    case 'rename_thread':
      threads.find(each => each.id === message.thread_id).title = message.title;
      return undefined;
    case 'delete_thread':
      window.kept.threads = threads.filter(each => each.id !== message.thread_id);
      return undefined;
    case 'find_tasks': {
      const words = message.query.toLowerCase().split(/\s+/).filter(Boolean);
      const fits = tasks.filter(({ id, task, utterance }) =>
        (message.before === null || id < message.before) &&
        (message.states.length === 0 || message.states.includes(task.state)) &&
        (message.areas.length === 0 || message.areas.includes(task.area)) &&
        words.every(word => `${task.title} ${utterance}`.toLowerCase().includes(word)));
      return window.deliver({ type: 'past_tasks', id: message.id, problem: null,
        tasks: fits.slice(0, message.limit), more: fits.length > message.limit });
    }
    case 'read_log': {
      const first = Math.max(0, message.first_line < 0 ? total() + message.first_line : message.first_line);
      const lines = [];
      let size = 0;
      for (let n = first; n < Math.min(total(), first + message.lines) && size < 200000; n++) {
        lines.push(text(n));
        size += lines[lines.length - 1].length;
      }
      return window.deliver({ type: 'log_page', id: message.id, first_line: first, lines, problem: null,
        total_lines: total(), total_bytes: total() * 88, complete: !window.kept.growing });
    }
    case 'search_log': {
      const hits = [];
      // Lines are alike: what is in none of the first is nowhere.
      if (!Array.from({ length: 1000 }, (_, n) => text(n)).join('\n').toLowerCase().includes(message.query.toLowerCase())) {
        return window.deliver({ type: 'log_hits', id: message.id, hits, problem: null, next_line: null });
      }
      const step = /^error$/i.test(message.query) ? 1000 : 1;
      let line = step === 1000 ? Math.ceil((message.from_line - 999) / 1000) * 1000 + 999 : message.from_line;
      const end = Math.min(total(), message.from_line + 400000);
      for (; line < end && hits.length < message.limit; line += step) {
        const plain = text(line).replace(/\u001b\[[\d;]*m/g, '');
        if (plain.toLowerCase().includes(message.query.toLowerCase())) {
          hits.push({ line, text: plain.slice(0, 300) });
        }
      }
      return window.deliver({ type: 'log_hits', id: message.id, hits, problem: null,
        next_line: line < total() ? line : null });
    }
  }
  return undefined;
}
