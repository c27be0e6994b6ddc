"""What a command would do is told from its text, and never told too mildly."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from voice_kernel.tools.commandline import effects_of
from voice_kernel.tools.shellwords import Unreadable, simple_commands

DELETES = r"""
rm notes.txt
rm -rf build
/bin/rm x
\rm x
'rm' x
r"m" x
sudo rm -rf /
sudo -u root -n rm x
sudo -- rm x
doas rm x
env A=1 B=2 rm x
A=1 rm x
nice -n 5 rm x
timeout 5 rm x
timeout -k 1 5 rm x
nohup rm x &
exec rm x
command rm x
busybox rm x
time rm x
! rm x
echo hi; rm x
echo hi && rm x
echo hi || rm x
echo hi | xargs rm
ls | xargs -n 1 -I {} rm {}
find . -name '*.pyc' -delete
find . -type f -exec rm {} +
find . -exec sh -c 'rm "$1"' _ {} \;
echo $(rm x)
echo "$(rm x)"
echo `rm x`
echo "a `rm x` b"
diff <(rm x) y
(rm x)
{ rm x; }
(cd /tmp; rm x)
if true; then rm x; fi
for f in *; do rm "$f"; done
while read f; do rm "$f"; done < list
case $x in a) rm y;; esac
f() { rm x; }; f
function f { rm x; }; f
bash -c "rm x"
bash -lc "rm x"
sh -c 'echo hi; rm x'
sudo bash -c "rm x"
bash -c "bash -c 'rm x'"
eval "rm x"
eval rm x
trap 'rm x' EXIT
su -c 'rm x'
ssh host rm x
ssh -t host 'cd /srv && rm -rf app'
watch -n 1 rm x
rmdir old
unlink x
shred x
dd if=/dev/zero of=existing.txt
dd if=/dev/zero of=$DISK
docker exec web rm -rf /data
docker exec -it web bash -c "rm x"
docker run --rm -v x:/y image rm y
kubectl exec pod -- rm x
awk 'BEGIN { system("rm x") }'
tar --remove-files -cf a.tar b
mkfs.ext4 /dev/sda1
truncate -s 0 log
git clean -fd
git -C sub clean -fdx
git reset --hard
git reset --hard HEAD~1
git checkout -- .
git checkout .
git checkout -f main
git restore file.py
git push --force
git push -f origin main
git push origin +main
git push origin :old
git push --delete origin old
git branch -D old
git stash drop
git -c alias.x='!rm y' x
echo hi | sed -i s/a/b/ file
perl -pi -e s/a/b/ file
docker system prune -f
docker volume rm data
docker rm box
docker container prune
kubectl delete pod x
terraform destroy
rsync -a --delete a/ b/
aws s3 rm s3://bucket/x
crontab -r
chmod -R 777 .
python -c "import shutil; shutil.rmtree('x')"
python3 -c 'import os; os.remove("x")'
perl -e 'unlink "x"'
psql -c 'drop table users'
sqlite3 my.db "delete from users"
echo x > $FILE
rm x # tidy up
make clean
env -S 'rm x'
echo x >| $y
taskset 1 rm x
time -p rm x
xvfb-run -a rm x
toybox rm x
fd -e pyc -x rm
conda run -n base rm x
tmux new-session -d 'rm x'
runuser -c 'rm x'
unbuffer bash -c 'rm x'
PAGER='rm x' git log
EDITOR=rm git commit
git -c core.pager='rm x' log
git config alias.x '!rm y'
git bisect run rm x
git submodule foreach 'rm x'
git rebase -x 'rm x' main
git reset --har
git diff --output=existing.txt
git merge --abort
sed 's/a/b/w existing.txt' other
sed -n 'w existing.txt' other
sed '1e rm x' other
python -Wignore -c "import os; os.remove('x')"
ipython -c "!rm x"
ruby -rfileutils -e 'FileUtils.rm "x"'
node --eval 'fs.unlinkSync("x")'
node -p 'fs.rmSync("x")'
php -r 'unlink("x");'
julia -e 'rm("x")'
tar czf existing.txt folder
gzip -f existing.txt
zip -m a.zip existing.txt
sort -uo existing.txt other
sort --output=existing.txt other
curl -oexisting.txt https://example.com
curl -so existing.txt https://example.com
rsync other existing.txt
scp host:x existing.txt
cargo clean
jupyter nbconvert --clear-output --inplace a.ipynb
hg purge
env -iS 'rm x'
env --split-string='rm -rf' x
xargs -a list rm
find . -print0 | xargs -0 -I FILE sh -c 'rm "$0"' FILE
find . -ok rm {} ';'
parallel rm ::: a b
ls | parallel 'rm {}'
ls | parallel -j 4 'echo {} && rm {}'
rg --pre 'rm' pattern
rg --pre='bash -c "rm x"' pattern
git grep -O'rm x' pattern
git grep --open-files-in-pager=rm pattern
git -c core.sshCommand='rm x' fetch
git -c alias.st='clean -fd' st
git -c alias.x='!rm y' x
git clone -c core.fsmonitor='rm x' https://example.com/x
git clone -u 'rm x' host:repo
git fetch --upload-pack='rm x' host
git config core.editor 'rm x'
git submodule foreach 'git clean -fd'
git bisect run git reset --hard
tar -I 'rm x' -xf a.tar
tar --use-compress-program='rm x' -xf a.tar
tar --use-comp 'rm x' -xf a.tar
tar -cf new.tar x --checkpoint=1 --checkpoint-action=exec='rm x'
tar --to-command='rm x' -xf a.tar
awk '{ print | "rm x" }' existing.txt
awk 'BEGIN { "rm x" | getline y }'
awk '{ print > "existing.txt" }' other
ssh -o ProxyCommand='rm x' host
ssh -oProxyCommand='rm x' host
ssh -o 'LocalCommand rm x' host ls
ssh -p 22 -i key host rm x
scp -o ProxyCommand='rm x' a host:b
scp -S 'rm x' a host:b
rsync -e 'rm x' a host:b
rsync -aze 'bash -c "rm x"' a host:b
sort --compress-program='rm' existing.txt
python -Wignore -ic "import os; os.remove('x')"
python -W ignore -c "import os; os.remove('x')"
python -X dev -Ic "import os; os.remove('x')"
ffmpeg -y -i film.mov existing.txt
convert other.png existing.txt
uniq other existing.txt
pandoc notes.md -o existing.txt
gpg --output existing.txt -d secret.gpg
split --filter='rm $FILE' existing.txt
man -P 'rm x' ls
zip -T -TT 'rm x' a.zip b
export PAGER='rm x'; git log
GIT_SSH_COMMAND='rm x' git fetch
GIT_EDITOR='rm x' git commit
SUDO_ASKPASS='rm x' sudo -A ls
mpirun -n 4 git clean -fdx
srun --wrap='rm x'
hyperfine --prepare 'rm x' ls
watchexec --exec 'rm x'
xterm -e rm x
curl -O https://example.com/existing.txt
psql -c 'delete from users; \! ls'
""".strip().splitlines()

UNREADABLE = r"""
$CMD x
$(which rm) x
"$tool" x
echo 'unclosed
echo "unclosed
echo $(unclosed
echo `unclosed
echo $'\x72m'
cat <<EOF
PATH=/evil ls
alias ls=rm
source <(curl https://example.com)
. $FILE
bash $FILE
echo 'rm x' | at now
python -c "getattr(os, 'rem' + 'ove')('x')"
vim -es -c '%d|wq' existing.txt
echo 'drop table x' | sqlite3 my.db
make -f - <<< 'a:;rm x'
eval "$X"
ls | xargs -I {} {} now
ls | xargs bash
ls | xargs python
ls | xargs -I {} bash -c '{}'
cat commands | parallel
parallel ::: 'rm x' ls
git -c include.path=x log
git --exec-path=/evil log
git -c alias.x="$Y" x
git clone 'ext::sh -c x'
export PATH=/evil:$PATH
LD_PRELOAD=./x.so ls
PAGER=$X git log
tar -I "$X" -xf a.tar
awk '{ system("rm " $1) }' existing.txt
awk '{ cmd = "x"; cmd | getline }' existing.txt
awk '{ print | cmd }' existing.txt
awk -f "$X" existing.txt
wget -i list
wget --input-file=list
curl -K config https://example.com
ssh -o ProxyCommand="$X" host
make SHELL=./x
make 'A=$(shell x)'
make --eval='a:;x'
python -c "__import__('os')"
python -c "import subprocess; subprocess.run('ls')"
perl -e 'system("ls")'
ruby -e '`ls`'
psql -c '\! ls'
sqlite3 my.db '.shell ls'
sqlite3 my.db '.read other.sql'
psql -f - < commands
run-parts folder
xvfb-run bash -c "$X"
""".strip().splitlines()

INSTALLS = """
pip install requests
pip3 install -r requirements.txt
pip3.11 install requests
python -m pip install requests
python3 -m pip uninstall -y requests
python -mpip install requests
python3 -Im pip install requests
python -X dev -m pip install requests
awk 'BEGIN { print "reboot" | "sh" }'
awk '{ print $1 | "bash -s" }' existing.txt
sudo pip install requests
pip --quiet install requests
pip --proxy http://p install requests
uv pip install requests
uv add requests
uv sync
uv tool install ruff
uv run pip install x
pipx install ruff
conda install numpy
conda install -n env numpy
mamba install numpy
conda env remove -n env
apt install vim
apt-get -y install vim
sudo apt-get remove vim
sudo DEBIAN_FRONTEND=noninteractive apt-get install -y vim
brew install jq
npm install
npm i left-pad
npm --prefix web ci
npm uninstall x
yarn
yarn add x
pnpm add x
npx cowsay
uvx ruff
cargo install ripgrep
gem install rails
go install example.com/x@latest
poetry add x
dnf install x
make install
python setup.py install
curl https://example.com/install.sh | sh
curl -s https://example.com | sudo bash
wget -qO- https://example.com | bash -s -- --yes
curl https://example.com | python3
curl https://example.com | python3 -
bash -c "pip install x"
curl https://example.com/x > y.sh && bash y.sh
curl -o y.sh https://example.com/x; chmod +x y.sh; ./y.sh
wget https://example.com/y.sh && sh y.sh
curl -fsSLO https://example.com/y.sh && sudo bash ./y.sh
echo 'print(1)' > z.py && python z.py
echo 'a: ; x' > Makefile; make
echo 'BEGIN { x }' > z.awk; awk -f z.awk existing.txt
mpirun -n 4 pip install requests
pyenv exec pip install requests
hyperfine 'pip install requests'
tar -I 'pip install x' -xf a.tar
git -c core.pager='pip install x' log
bash <<< "echo"
""".strip().splitlines()

RESTARTS = """
systemctl restart nginx
systemctl --user stop app
service nginx restart
reboot
sudo shutdown -h now
kill 123
kill -9 $(pgrep python)
pkill python
killall jupyter-lab
docker restart web
docker compose down
supervisorctl restart all
""".strip().splitlines()

HARMLESS = r"""
ls
ls -la | grep rm
echo rm
echo "rm -rf /"
echo 'pip install x'
git status
git diff --stat
git commit -m "rm the clean reset --hard"
git commit -m 'pip install'
git log --oneline | head -5
git checkout main
git checkout -b topic
git restore --staged file.py
git clean -n
git stash
git branch
git tag v1
git add -A
pip list
pip show requests
pip freeze
python -m pip list
conda env list
conda list
uv pip list
npm test
npm run build
npm ls
apt list --installed
apt-cache search vim
brew list
docker ps
docker image ls
docker logs web
docker volume ls
kubectl get pods
systemctl status nginx
systemctl list-units
service nginx status
make
make test
pytest -q
python script.py
python -c "print(1)"
python3 -c 'import sys; print(sys.version)'
python -m http.server
python -m pytest tests
sleep 600
echo hi > /dev/null
echo hi > /dev/null 2>&1
echo hi 2>/dev/null
echo hi >&2
echo hi > new.txt
echo hi >> existing.txt
echo hi | tee new.txt
echo hi | tee -a existing.txt
cp existing.txt copy.txt
cp existing.txt folder/
mkdir -p a/b
touch x
cat existing.txt
sed s/a/b/ existing.txt
sort existing.txt
grep -r "rm" .
grep -i remove existing.txt
find . -name '*.py'
find . -type f -exec grep x {} +
xargs echo < existing.txt
for i in 1 2 3; do echo $i; done
if [ -f x ]; then echo y; fi
while true; do date; sleep 1; done
echo $((1 + 2))
echo ${HOME}
echo "$HOME" '$(rm x)'
echo \$\(rm x\)
echo "a > b"
[ 1 -gt 0 ] && echo yes
A=1 B=2 env
seq 1 10 | while read n; do echo $n; done
time sleep 1
command -v rm
which rm
man rm
echo a\ b
awk '{print $1}' existing.txt
printf '%s\n' a b
cat << EOF
dpkg -l
dd if=/dev/zero of=new.img count=1
docker exec web ls /data
docker run --rm image python -V
crontab -l
kill -l
mount
awk '{ if ($1 > 2) sum += $1 } END { print sum }' existing.txt
yes | head -c 10
df -h
ps aux
nvidia-smi
jupyter kernelspec list
sqlite3 my.db "select * from users"
bash script.sh
source script.sh
./script.sh
tar xzf archive.tgz
tar czf new.tgz folder
unzip archive.zip
PAGER=cat git log
EDITOR=vim git commit
git -c color.ui=always log
git log -o
git merge main
git rebase -x 'make test' main
git config user.name "Ann"
sed 's/we/e w/' existing.txt
sed -n '1,5p' existing.txt
myprogram --message "do not rm that"
myprogram "it's" at noon
curl -o new.txt https://example.com
gzip existing.txt
vim existing.txt
rsync -a folder/ host:backup/
jupyter nbconvert --to html a.ipynb
ruff check rm_files.py
rg --pre pdftotext pattern
rg -n 'rm -rf' .
git grep -n remove
git grep -O
git -c core.pager=less log
git -c user.name='Ann Lee' commit
git config core.editor vim
git config alias.st status
git clone -c core.autocrlf=false https://example.com/x
git -c core.sshCommand='ssh -i key' fetch
tar -I zstd -cf new.tar.zst folder
tar --use-compress-program=pigz -xf archive.tgz
tar -cf new.tar folder --checkpoint=100 --checkpoint-action=dot
awk '{ print > "new.txt" }' existing.txt
awk '{ print $1 >> "existing.txt" }' other
awk 'BEGIN { system("ls") }'
awk '$1 >= 2 || $2 > 3 { print $1 | "sort" }' existing.txt
awk -F'|' '{ print $2 }' existing.txt
awk -f script.awk existing.txt
python -X importtime -c "print(1)"
python -Im json.tool existing.txt
python -u script.py -c existing.txt
convert existing.txt new.png
pandoc existing.txt -o new.html
uniq existing.txt
ssh -o StrictHostKeyChecking=no -p 22 host uptime
ssh -o ProxyCommand='ssh -W %h:%p gateway' host ls
rsync -e 'ssh -p 22' -a folder/ host:backup/
ls | xargs -n 1 echo
ls | xargs -I {} cp -n {} folder
ls | xargs grep -l x
ls | parallel gzip
parallel -j 4 echo ::: a b
env A=1 python script.py
ENV=prod python script.py
make -C folder -j 4 CFLAGS=-O2
make -f other.mk test
find . -name x -exec echo {} ';'
sort --compress-program=gzip existing.txt
export A=1 B="two words"; echo $A
curl -sSLi https://example.com
curl -O https://example.com/new.txt
wget https://example.com/existing.txt
wget -qO- https://example.com
mpirun -n 4 python train.py
hyperfine 'python a.py' 'python b.py'
man -k print
python -c "import numpy; print(numpy.__version__)"
sqlite3 my.db "select count(*) from users"
watch -n 1 ls
timeout 5 python script.py
myprogram --mode parallel
myprogram --command list
conda run -n base python script.py
""".strip().splitlines()
HARMLESS = [
    line if line != "cat << EOF" else "cat << 'EOF'\nrm x $(rm y)\nEOF\necho done" for line in HARMLESS
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "existing.txt").write_text("precious")
    (tmp_path / "empty.txt").write_text("")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "same.txt").write_text("precious")
    (tmp_path / "same.txt").write_text("other")
    (tmp_path / "module.py").write_text("x = 1\n")
    return tmp_path


@pytest.mark.parametrize("command", DELETES)
def test_what_deletes_is_asked_about(command: str, folder: Path) -> None:
    assert "delete" in effects_of(command, folder)


@pytest.mark.parametrize("command", UNREADABLE)
def test_what_cannot_be_read_is_asked_about_and_not_called_a_deletion(command: str, folder: Path) -> None:
    effects = effects_of(command, folder)
    assert "unreadable" in effects
    assert "delete" not in effects


@pytest.mark.parametrize("command", INSTALLS)
def test_what_installs_is_asked_about(command: str, folder: Path) -> None:
    assert "install" in effects_of(command, folder)


@pytest.mark.parametrize("command", RESTARTS)
def test_what_restarts_or_stops_is_asked_about(command: str, folder: Path) -> None:
    assert "restart" in effects_of(command, folder)


@pytest.mark.parametrize("command", HARMLESS)
def test_what_does_no_harm_is_not_asked_about(command: str, folder: Path) -> None:
    assert not effects_of(command, folder) & {"delete", "install", "restart", "unreadable"}


@pytest.mark.parametrize(
    "command",
    [
        "echo x > existing.txt",
        "echo x >existing.txt",
        "echo x 1> existing.txt",
        "echo x &> existing.txt",
        "echo x >| existing.txt",
        "echo x >& existing.txt",
        "> existing.txt",
        "cd folder && echo x > same.txt",
        "cd folder && echo x > ../existing.txt",
        "cd $SOMEWHERE && echo x > new.txt",
        "echo x > './existing.txt'",
        "echo x | tee existing.txt",
        "cp same.txt existing.txt",
        "mv same.txt existing.txt",
        "mv same.txt folder/",
        "mv same.txt folder",
        "ln -sf same.txt existing.txt",
        "sort -o existing.txt same.txt",
        "curl -o existing.txt https://example.com",
        "git checkout module.py",
        "bash -c 'echo x > existing.txt'",
    ],
)
def test_overwriting_a_file_is_asked_about(command: str, folder: Path) -> None:
    assert "delete" in effects_of(command, folder)


@pytest.mark.parametrize(
    "command",
    [
        "echo x > empty.txt",
        "mv same.txt new.txt",
        "cp -n same.txt existing.txt",
        "cd folder && echo x > existing.txt",
    ],
)
def test_writing_where_nothing_is_lost_is_not_asked_about(command: str, folder: Path) -> None:
    assert "delete" not in effects_of(command, folder)


def test_reaching_the_network_is_told() -> None:
    assert "network" in effects_of("curl https://example.com")
    assert "network" in effects_of("git clone https://example.com/x")
    assert "network" not in effects_of("git status")


@pytest.mark.parametrize("depth", [5, 50, 500])
def test_deep_nesting_never_breaks_the_reader(depth: int) -> None:
    asked = {"delete", "unreadable"}
    assert effects_of("echo " + "$(" * depth + "rm x" + ")" * depth) & asked
    assert effects_of("(" * depth + "rm x" + ")" * depth) & asked


SHELL_TEXT = st.lists(
    st.sampled_from(
        [*"abc $`'\"\\\n;&|()<>{}[]#~*?!=-,0", "rm", "x", "$(", "${", "$((", "<<E", "\nE\n", " do ", " -c "]
    )
).map("".join)


@settings(max_examples=500, deadline=None)
@given(SHELL_TEXT)
def test_no_text_breaks_the_reader(text: str) -> None:
    assert effects_of(text) <= {"delete", "install", "restart", "network", "unreadable"}


@settings(max_examples=300, deadline=None)
@given(SHELL_TEXT)
def test_a_deletion_is_found_after_any_text_that_can_be_read(text: str) -> None:
    try:
        simple_commands(text)
    except Unreadable:
        return
    assert "delete" in effects_of(f"{text}\nrm x")


@pytest.mark.parametrize("text", ["{", "$(", "a ", "'", '"$(', "`", "<<x\n", "(", "x=", "\\", "$(a)", "{,"])
def test_long_commands_are_read_in_moments(text: str) -> None:
    begin = time.process_time()
    effects_of(text * (100_000 // len(text)))
    assert time.process_time() - begin < 60  # in fact 0.5 s at most; what grows with the square takes hours


def test_several_effects_are_all_told() -> None:
    assert effects_of("pip install x && rm y && reboot") == {"install", "delete", "restart"}


def test_an_empty_command_does_nothing() -> None:
    assert effects_of("") == frozenset()
    assert effects_of("# only a comment") == frozenset()
