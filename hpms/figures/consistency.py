def figure(groups, path):
    pass
