/** Voice in the status bar: what it does now in a word, and a way to open it. */
import type { TranslationBundle } from '@jupyterlab/translation';
import { Widget } from '@lumino/widgets';
import { microphoneIcon } from './icon';
import { type Status, status } from './panel/wording';
import type { Sidebar } from './sidebar';

export class StatusItem extends Widget {
  private readonly button = document.createElement('button');
  private readonly word = document.createElement('span');

  constructor(
    private readonly sidebar: Sidebar,
    private readonly trans: TranslationBundle,
    open: () => void
  ) {
    super();
    this.button.type = 'button';
    this.button.className = 'vk-status-item';
    this.button.addEventListener('click', open);
    microphoneIcon.element({ container: this.button, tag: 'span' });
    this.button.append(this.word);
    this.node.append(this.button);
    sidebar.changed.connect(this.draw);
    this.draw();
  }

  private readonly draw = (): void => {
    const { word, tone } = this.current();
    if (this.word.textContent !== word || this.button.dataset['tone'] !== tone) {
      this.word.textContent = word;
      this.button.dataset['tone'] = tone;
      const title = this.trans.__('Voice: %1. Open the voice panel.', word);
      this.button.title = title;
      this.button.setAttribute('aria-label', title);
    }
  };

  private current(): Status {
    const voice = this.sidebar.current;
    const calm = (word: string): Status => ({ word, tone: 'calm' });
    switch (voice?.link.state.name) {
      case 'open':
        return voice.snapshot ? status(voice.snapshot, voice.words) : calm(this.trans.__('Connecting'));
      case 'connecting':
      case 'restarting':
        return { word: this.trans.__('Connecting'), tone: 'busy' };
      case 'waiting':
        return { word: this.trans.__('Kernel busy'), tone: 'busy' };
      case 'missing':
      case 'failed':
      case 'foreign':
      case 'dead':
        return { word: this.trans.__('Voice off'), tone: 'problem' };
      default:
        return calm(this.trans.__('Voice off'));
    }
  }
}
