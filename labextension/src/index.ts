/**
 * The JupyterLab / Notebook 7 extension: puts voice into the front end.
 *
 * Responsible for what the front end knows of us: side bar, commands, palette, status bar, settings. What
 * they do is in the modules they call. The toolbar button, the menu entry and the shortcuts are in
 * `schema/plugin.json`, where a person can change them.
 */
import { ILayoutRestorer, type JupyterFrontEnd, type JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette, ISessionContextDialogs, InputDialog, SessionContextDialogs } from '@jupyterlab/apputils';
import { INotebookTracker, type NotebookPanel } from '@jupyterlab/notebook';
import { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import { ISettingRegistry } from '@jupyterlab/settingregistry';
import { IStatusBar } from '@jupyterlab/statusbar';
import { ITranslator, type TranslationBundle, nullTranslator } from '@jupyterlab/translation';
import { CommandRegistry } from '@lumino/commands';
import { Announcer } from './announcer';
import { takeDroppedFiles } from './dropped';
import { microphoneIcon } from './icon';
import { widgetFactory } from './output';
import { Shelf } from './shelf';
import { Sidebar } from './sidebar';
import { StatusItem } from './status';
import { Talk } from './talk';
import { type BadgesWanted, NotebookVoice, type Preferences } from './voice';

const PLUGIN = 'voice-kernel:plugin';
const SIDEBAR = 'voice-kernel-sidebar';
const INSTALLATION = '%pip install voice-kernel';

export const Command = {
  open: 'voice-kernel:open',
  talk: 'voice-kernel:talk',
  discard: 'voice-kernel:discard',
  undo: 'voice-kernel:undo',
  redo: 'voice-kernel:redo',
  restore: 'voice-kernel:restore-snapshot',
  badges: 'voice-kernel:toggle-badges'
} as const;

/** The settings as they are until the registry has read them. */
class Settings {
  private registered: ISettingRegistry.ISettings | null = null;

  constructor(private readonly onChange: () => void) {}

  /** Without a registry, or without a server that answers, the defaults stay. */
  async read(registry: ISettingRegistry | null): Promise<void> {
    try {
      this.registered = (await registry?.load(PLUGIN)) ?? null;
      this.registered?.changed.connect(this.onChange);
    } catch (error) {
      console.warn('Voice: the settings could not be read.', error);
    }
  }

  get position(): 'left' | 'right' {
    return this.value('position') === 'left' ? 'left' : 'right';
  }

  get preferences(): Preferences {
    return {
      language: this.value('language'),
      badges: (this.value('badges') || 'listening') as BadgesWanted,
      listen: this.value('mode') as Preferences['listen']
    };
  }

  async set(name: string, value: string): Promise<void> {
    await this.registered?.set(name, value);
  }

  private value(name: string): string {
    const value = this.registered?.composite[name];
    return typeof value === 'string' ? value : '';
  }
}

async function activate(
  app: JupyterFrontEnd,
  tracker: INotebookTracker,
  registry: ISettingRegistry | null,
  palette: ICommandPalette | null,
  statusBar: IStatusBar | null,
  restorer: ILayoutRestorer | null,
  translator: ITranslator | null,
  dialogs: ISessionContextDialogs | null,
  rendermime: IRenderMimeRegistry | null
): Promise<void> {
  const trans = (translator ?? nullTranslator).load('voice_kernel');
  const announcer = new Announcer();
  const shelf = new Shelf(`${app.serviceManager.serverSettings.baseUrl}\n`);
  const voices = new Map<NotebookPanel, NotebookVoice>();
  const surroundings = {
    commands: app.commands,
    dialogs: dialogs ?? new SessionContextDialogs({ translator: translator ?? nullTranslator }),
    shelf,
    trans,
    language: (translator?.languageCode ?? '').slice(0, 2),
    announce: (text: string) => announcer.say(text),
    talkKeys: () => talkKeysOf(app.commands),
    activate: (panel: NotebookPanel) => {
      if (tracker.currentWidget !== panel) {
        app.shell.activateById(panel.id);
      }
    },
    reveal: (panel: NotebookPanel) => {
      surroundings.activate(panel);
      app.shell.activateById(SIDEBAR);
    }
  };
  const voiceOf = (panel: NotebookPanel): NotebookVoice => {
    let voice = voices.get(panel);
    if (!voice) {
      voice = new NotebookVoice(panel, surroundings, () => settings.preferences);
      voices.set(panel, voice);
      panel.disposed.connect(() => voices.delete(panel));
    }
    return voice;
  };
  // Before anything is awaited: each notebook copies the renderers there are when it opens.
  rendermime?.addFactory(
    widgetFactory({
      trans,
      act: async (element, clicked) => {
        const panel = tracker.find(candidate => candidate.node.contains(element));
        if (!panel) {
          throw new Error(trans.__('Open the notebook that shows this, and click there.'));
        }
        await voiceOf(panel).act(clicked);
      }
    })
  );

  const sidebar = new Sidebar(
    voiceOf,
    {
      chooseKernel: () => void app.commands.execute('notebook:change-kernel'),
      restartKernel: () => void app.commands.execute('notebook:restart-kernel'),
      insertInstallation: panel => insertBelow(panel, INSTALLATION)
    },
    trans
  );
  sidebar.id = SIDEBAR;
  takeDroppedFiles(sidebar.node, app.serviceManager.contents);
  sidebar.title.icon = microphoneIcon;
  sidebar.title.caption = trans.__('Voice');

  let position: 'left' | 'right' | null = null;
  const place = (): void => {
    if (settings.position !== position) {
      const visible = sidebar.isVisible;
      position = settings.position;
      app.shell.add(sidebar, position, { rank: 900, type: 'Voice' });
      if (visible) {
        app.shell.activateById(SIDEBAR);
      }
    }
  };
  const settings = new Settings(() => {
    place();
    voices.forEach(voice => voice.applyPreferences());
    app.commands.notifyCommandChanged(Command.badges);
  });
  // Before the layout is restored, which opens the side bar again where it was open.
  await settings.read(registry);
  place();
  restorer?.add(sidebar, SIDEBAR);

  tracker.currentChanged.connect((_, panel) => sidebar.follow(panel));
  sidebar.follow(tracker.currentWidget);

  addCommands(app, sidebar, settings, announcer, trans);
  for (const command of Object.values(Command)) {
    palette?.addItem({ command, category: trans.__('Voice') });
  }
  if (statusBar) {
    const item = new StatusItem(sidebar, trans, () => void app.commands.execute(Command.open));
    statusBar.registerStatusItem('voice-kernel:status', { item, align: 'right', rank: 5 });
  }
  void shelf.tidy();
}

function addCommands(
  app: JupyterFrontEnd,
  sidebar: Sidebar,
  settings: Settings,
  announcer: Announcer,
  trans: TranslationBundle
): void {
  const { commands, shell } = app;
  const talk = new Talk(sidebar);
  const connected = (): boolean => sidebar.current?.link.state.name === 'open';
  const open = (): void => {
    shell.activateById(SIDEBAR);
    sidebar.current?.link.wake();
  };

  commands.addCommand(Command.open, {
    label: args => (args['toolbar'] ? trans.__('Voice') : trans.__('Voice: Open Panel')),
    caption: trans.__('Open the voice panel'),
    icon: microphoneIcon,
    execute: () => {
      open();
      sidebar.takeFocus();
    }
  });
  commands.addCommand(Command.talk, {
    label: trans.__('Voice: Talk (Hold)'),
    caption: trans.__('Listen while the shortcut is held; from the palette, start or stop listening'),
    execute: args => {
      open();
      return args['held'] === true ? talk.hold() : talk.toggle();
    }
  });
  commands.addCommand(Command.discard, {
    label: trans.__('Voice: Discard the Recording'),
    isEnabled: () => sidebar.current?.listening ?? false,
    execute: () => sidebar.current?.controls?.microphone.discard()
  });
  for (const direction of ['undo', 'redo'] as const) {
    commands.addCommand(Command[direction], {
      label:
        direction === 'undo'
          ? trans.__('Voice: Undo the Last Voice Action')
          : trans.__('Voice: Redo the Last Voice Action'),
      isEnabled: () => sidebar.current !== null,
      execute: async () => {
        const host = sidebar.current?.host;
        await host?.ready;
        const outcome = direction === 'undo' ? host?.undo() : host?.redo();
        if (outcome) {
          host?.announceOutcome(direction, outcome);
        } else {
          announcer.say(trans.__('There is no voice action to take back or do again.'));
        }
      }
    });
  }
  commands.addCommand(Command.restore, {
    label: trans.__('Voice: Restore a Snapshot…'),
    caption: trans.__('Go back to the notebook as it was before a voice action'),
    isEnabled: () => sidebar.current !== null,
    execute: async () => {
      const host = sidebar.current?.host;
      const kept = (await host?.snapshots()) ?? [];
      if (!host || kept.length === 0) {
        announcer.say(trans.__('There is no snapshot of this notebook.'));
        return;
      }
      const names = kept.map(({ at }) => new Date(at).toLocaleString());
      const chosen = await InputDialog.getItem({
        title: trans.__('Restore which snapshot?'),
        items: names,
        okLabel: trans.__('Restore')
      });
      const snapshot = chosen.button.accept ? kept[names.indexOf(chosen.value ?? '')] : undefined;
      if (snapshot) {
        host.announceOutcome('restore', host.restore(snapshot));
      }
    }
  });
  commands.addCommand(Command.badges, {
    label: trans.__('Voice: Always Number the Cells'),
    isToggleable: true,
    isToggled: () => settings.preferences.badges === 'always',
    isEnabled: connected,
    execute: () => settings.set('badges', settings.preferences.badges === 'always' ? 'listening' : 'always')
  });
  sidebar.changed.connect(() => {
    for (const command of [Command.discard, Command.undo, Command.redo, Command.restore, Command.badges]) {
      commands.notifyCommandChanged(command);
    }
  });
}

/** The shortcut by which a person talks, as they have bound it. */
function talkKeysOf(commands: CommandRegistry): string {
  const binding = commands.keyBindings.find(({ command }) => command === Command.talk);
  return binding ? binding.keys.map(keys => CommandRegistry.formatKeystroke(keys)).join(' ') : '';
}

function insertBelow(panel: NotebookPanel, source: string): void {
  const notebook = panel.content;
  const index = notebook.activeCellIndex + 1;
  notebook.model?.sharedModel.insertCell(index, { cell_type: 'code', source, metadata: { trusted: true } });
  notebook.activeCellIndex = index;
  notebook.deselectAll();
}

const plugin: JupyterFrontEndPlugin<void> = {
  id: PLUGIN,
  description: 'Talk to the notebook: a voice panel in the side bar, with hands for the cells.',
  autoStart: true,
  requires: [INotebookTracker],
  optional: [
    ISettingRegistry,
    ICommandPalette,
    IStatusBar,
    ILayoutRestorer,
    ITranslator,
    ISessionContextDialogs,
    IRenderMimeRegistry
  ],
  activate
};

export default plugin;
