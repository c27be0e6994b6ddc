/**
 * Tells screen readers what happened to the notebook: one polite live region for the page.
 *
 * The region stands there, empty, before anything is put into it; the same words twice are said twice.
 */
export class Announcer {
  private readonly node = document.createElement('div');

  constructor() {
    this.node.className = 'vk-announcer';
    this.node.setAttribute('role', 'status');
    this.node.setAttribute('aria-live', 'polite');
    document.body.append(this.node);
  }

  say(text: string): void {
    const line = document.createElement('p');
    line.textContent = text;
    this.node.replaceChildren(line);
  }
}
